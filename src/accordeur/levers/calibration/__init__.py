"""The lever `calibration`: correct a label prior the prompt brings with it (DESIGN P4).

Settings are in `lever.py`, the two ways of finding the bias in `content_free.py` and `fitted.py`.
"""

from accordeur.levers.calibration.lever import Calibrate

__all__ = ["Calibrate"]
