"""python -m perdure_import SPEC.json OUT_DIR: a model made elsewhere, with the inputs and outputs that its contract asks for.

A model file is somebody else's: nothing of it is run here, external data is never followed, and whoever started this checks the result again.
"""

import json
import os
import sys

from .rewrite import Refusal, rewrite


def main(arguments):
    with open(arguments[0], encoding="utf-8") as file:
        spec = json.load(file)
    try:
        adopted = rewrite(spec)
    except Refusal as refusal:
        return say({"kind": "error", "code": "model-refused", "message": str(refusal)[:4000]}, 1)
    except MemoryError:
        return say({"kind": "error", "code": "out-of-memory", "message": "The model needs more memory than an import may use."}, 1)
    except Exception as error:  # noqa: BLE001 - a file that breaks this program is not accepted, and says how
        return say({"kind": "error", "code": "model-refused", "message": f"it cannot be read as ONNX: {type(error).__name__}: {error}"[:4000]}, 1)
    path = os.path.join(arguments[1], "model.onnx")
    with open(f"{path}.part", "wb") as file:
        file.write(adopted)
    os.replace(f"{path}.part", path)
    return say({"kind": "done"}, 0)


def say(line, code):
    print(json.dumps(line), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
