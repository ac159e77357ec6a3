"""Real SSH hosts on this one machine, for tests and for trying the service.

    with start_lab(hosts=4) as lab:
        subprocess.run(["ansible", "-i", lab.inventory, "all", "-m", "raw", "-a", "hostname"])

`python -m tests.lab up|down|status --directory DIR` does the same for a person.
"""

from tests.lab.lab import Lab
from tests.lab.model import LabError, LabHost
from tests.lab.removal import take_down
from tests.lab.start import attach, start_lab

__all__ = ["Lab", "LabError", "LabHost", "attach", "start_lab", "take_down"]
