"""How `notebook.onnx` was made, elsewhere: a scikit-learn pipeline of one's own, exported by skl2onnx as it comes.

    pip install scikit-learn==1.9.1 skl2onnx==1.20.0 && python models/iris-species/notebook.py
"""

from pathlib import Path

import numpy as np
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

data = load_iris()
measurements = data.data.astype(np.float32)
# Every second flower: the others are left to whoever wants to know how good it is.
pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(measurements[::2], data.target_names[data.target][::2])
Path(__file__).with_name("notebook.onnx").write_bytes(to_onnx(pipeline, measurements[:1]).SerializeToString())
