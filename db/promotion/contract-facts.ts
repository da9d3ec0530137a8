import { compareContracts, type ContractCompatibility } from '../../domain/data/contract-compatibility.js';
import type { Contract } from '../../domain/data/contract.js';
import type { Environment } from '../../domain/names.js';
import { declaredClasses, withClasses } from '../../domain/tasks/task-of.js';
import { championOf } from '../../domain/serving/route.js';
import type { Database } from '../connect.js';
import { contractByDigest } from '../model/definition-queries.js';
import { routeOf } from '../serving/route-queries.js';
import { versionOf } from '../model/version-queries.js';

/** What callers of an environment would find under a contract. */
export interface ContractOutlook extends ContractCompatibility {
  /** The versions whose contracts callers are promised now, the champion first; none in an empty environment. */
  against: number[];
}

/**
 * Compares a contract with all that an environment admits at this moment.
 * @param except the version that carries it, which promises nothing to itself
 */
export async function contractOutlook(
  db: Database,
  {
    environment,
    model,
    contract,
    except = null,
  }: { environment: Environment; model: string; contract: Contract; except?: number | null },
): Promise<ContractOutlook> {
  const route = await routeOf(db, environment, model);
  const served = route ? [championOf(route.split), ...route.split.map(({ version }) => version)] : [];
  const against = [...new Set(served)].filter((version) => version !== except);
  const admitted: Contract[] = [];
  for (const version of against) {
    // Of a definition that lists no classes nobody knows yet which there will be.
    const read = declaredClasses(contract.label) === undefined ? writtenContract : contractOfVersion;
    admitted.push(await read(db, model, version));
  }
  return {
    against,
    ...compareContracts({ admitted, challenger: contract, today: new Date().toISOString().slice(0, 10) }),
  };
}

/** The same for a registered version. */
export async function versionContractOutlook(
  db: Database,
  { environment, model, version }: { environment: Environment; model: string; version: number },
): Promise<ContractOutlook> {
  const contract = await contractOfVersion(db, model, version);
  return contractOutlook(db, { environment, model, contract, except: version });
}

/** With the classes that it was trained on, where it lists none: callers read `probabilities` by them. */
async function contractOfVersion(db: Database, model: string, version: number): Promise<Contract> {
  const { signature } = await versionOf(db, model, version);
  return withClasses(await writtenContract(db, model, version), signature.classes);
}

async function writtenContract(db: Database, model: string, version: number): Promise<Contract> {
  return contractByDigest(db, (await versionOf(db, model, version)).definitionSha256);
}
