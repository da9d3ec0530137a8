import { grouped, type Check } from '../facts.js';

/**
 * A gateway never acknowledges an epoch below one that it acknowledged before, of the same store; nor one that nobody
 * wrote.
 */
export const acknowledgementsRise: Check = ({ acknowledgements, routes }) =>
  grouped(acknowledgements, ({ row }) => `${row.gatewayId} ${row.environment} ${row.model} ${row.storeId}`).flatMap(
    (group) =>
      group.flatMap(({ row, order }, at) => {
        const before = group[at - 1]?.row.epoch ?? 0;
        const written = routes.some(
          (route) => route.row.model === row.model && route.row.epoch === row.epoch && route.order < order,
        );
        return [
          ...(row.epoch < before ? [`${row.gatewayId} acknowledged epoch ${row.epoch} after ${before}`] : []),
          ...(written ? [] : [`${row.gatewayId} acknowledged epoch ${row.epoch}, which was not written`]),
        ];
      }),
  );

/**
 * A request that a gateway got after it had answered another is not answered under an earlier epoch than that one,
 * restarts of the gateway included.
 */
export const answersGoForward: Check = ({ asked }) =>
  grouped(
    asked.flatMap(({ id, answer }) => (answer === null ? [] : [{ id, ...answer }])),
    ({ gateway }) => gateway,
  ).flatMap((answers) => {
    const problems: string[] = [];
    const bySent = answers.toSorted((left, right) => left.sentAt - right.sentAt);
    const byAnswered = answers.toSorted((left, right) => left.answeredAt - right.answeredAt);
    let seen = 0;
    let next = 0;
    for (const { id, sentAt, epoch, gateway } of bySent) {
      for (let one = byAnswered[next]; one !== undefined && one.answeredAt <= sentAt; one = byAnswered[++next])
        seen = Math.max(seen, one.epoch);
      if (epoch < seen)
        problems.push(`${gateway} answered ${id} under epoch ${epoch} after it had answered under ${seen}`);
    }
    return problems;
  });

/** Every request was answered, by somebody, in time. */
export const noFailedPrediction: Check = ({ asked }) =>
  asked.flatMap(({ id, answer, gaveUp }) =>
    answer === null ? [`${id} got no answer: ${gaveUp?.said.join('; ')}`] : [],
  );
