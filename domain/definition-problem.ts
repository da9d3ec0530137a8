/** One thing that is wrong with a definition. */
export interface DefinitionProblem {
  /** Where in the definition, for example `evaluation.gates.0.atLeast`. */
  path: string;
  message: string;
}
