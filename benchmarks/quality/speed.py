"""How well the served model ranks after so many seconds of training, its hyperparameters being known.

    python -m benchmarks.quality.speed --train F --valid F --test F

The search comes first and is not counted. Then the model is trained with what it found and with fewer steps of the
encoder, each time from nothing; the seconds are those of the whole training, with the weights of the parts chosen.
"""

import json
import time

import msgspec

from benchmarks.quality.fused import Asked, ndcg_of, served_lists, settings_of
from clew.bench_fused import Served

PARTS = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
ENOUGH = 0.97


def main() -> None:
    asked = Asked.parse(__doc__)
    settings = settings_of(asked.tune())
    points = []
    for part in PARTS:
        encoder = msgspec.structs.replace(settings.encoder, steps=max(1, round(part * settings.encoder.steps)))
        began = time.perf_counter()
        model = asked.fit(asked.case.train, msgspec.structs.replace(settings, encoder=encoder))
        seconds = time.perf_counter() - began
        values = ndcg_of(served_lists(Served.of(model, asked.case.train), asked.case), asked.case)
        points.append({"steps": encoder.steps, "seconds": round(seconds, 2), "ndcg@10": float(values.mean())})
    final = points[-1]["ndcg@10"]
    enough = min(point["seconds"] for point in points if point["ndcg@10"] >= ENOUGH * final)
    print(json.dumps({"points": points, "final_ndcg@10": final, "seconds_to_97_percent": enough}))


if __name__ == "__main__":
    main()
