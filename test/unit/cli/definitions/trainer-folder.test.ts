import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pinPrograms, readTrainerFolder } from '../../../../cli/definitions/trainer-folder.js';
import { parseModelDefinition } from '../../../../domain/model/parse-definition.js';
import { programDigest } from '../../../../domain/training/program-archive.js';
import flightDelay from '../../../../models/flight-delay/model.js';

let project: string;
let model: string;
beforeEach(() => {
  project = mkdtempSync(path.join(tmpdir(), 'perdure-programs-'));
  model = path.join(project, 'models', 'flight-delay');
  write('trainer/perdure_trainer/__main__.py', 'print(1)');
  write('trainer/requirements.txt', '');
});
afterEach(() => rmSync(project, { recursive: true, force: true }));

function write(name: string, text: string): void {
  mkdirSync(path.dirname(path.join(model, name)), { recursive: true });
  writeFileSync(path.join(model, name), text);
}

describe('the program in a folder beside a model', () => {
  test('is pinned by its content: the definition changes with each edit, and with nothing that Python leaves behind', () => {
    const definition = parseModelDefinition({ ...flightDelay, training: { program: './trainer' } });
    const pin = () => pinPrograms(project, [{ file: 'models/flight-delay/model.ts', definition }]);
    const before = pin();
    const [sent] = before.programs;
    expect(before.definitions[0]?.training.program).toEqual({ folder: './trainer', sha256: sent?.sha256 });
    expect(sent && programDigest(sent.archive)).toBe(sent?.sha256);

    write('trainer/perdure_trainer/__pycache__/x.pyc', 'compiled');
    write('trainer/.venv/lib.py', 'hidden');
    expect(pin()).toEqual(before);
    write('trainer/perdure_trainer/__main__.py', 'print(2)');
    expect(pin().programs[0]?.sha256).not.toBe(sent?.sha256);
  });

  test('is nothing that a link leads to', () => {
    symlinkSync('/etc/hostname', path.join(model, 'trainer', 'notes'));
    expect(() => readTrainerFolder(model, './trainer')).toThrow(/trainer: notes is a symbolic link/);
    mkdirSync(path.join(project, 'elsewhere'));
    symlinkSync(path.join(project, 'elsewhere'), path.join(model, 'linked'));
    expect(() => readTrainerFolder(model, './linked')).toThrow(/linked: it is a symbolic link/);
  });

  test('is named where it is not there, or not whole', () => {
    expect(() => readTrainerFolder(model, './trainr')).toThrow(/training.program .\/trainr: it cannot be read/);
    rmSync(path.join(model, 'trainer', 'requirements.txt'));
    expect(() => readTrainerFolder(model, './trainer')).toThrow(/requirements.txt is missing/);
    write('trainer/requirements.txt', '');
    write('trainer/my notes.txt', '');
    expect(() => readTrainerFolder(model, './trainer')).toThrow(/file name my notes.txt must be made of letters/);
  });
});
