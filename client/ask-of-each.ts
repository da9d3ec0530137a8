/** Questions to Temporal at a time: enough to hide the way there and back, few enough to leave it room. */
const askedAtOnce = 25;

/** Asks a question of each, some at a time. @returns the answers, in the order of what was asked. */
export async function askOfEach<Item, Answer>(
  asked: readonly Item[],
  question: (one: Item) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let from = 0; from < asked.length; from += askedAtOnce)
    answers.push(...(await Promise.all(asked.slice(from, from + askedAtOnce).map(question))));
  return answers;
}
