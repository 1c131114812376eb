# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the plug of a guest's interface running: the kernel starts this in place of vde_plug when it goes up.

A switch that has just lost a plug may take away the socket of the next one, which then ends. The kernel would do
nothing but wait for it from then on, so the plug is started again until the kernel closes its end.
"""

import re
import select
import subprocess
import sys
import time

number = int(re.search(r"seqpacket://(\d+)", " ".join(sys.argv)).group(1))
kernel = select.poll()
kernel.register(number, select.POLLHUP)
while not any(event & select.POLLHUP for _number, event in kernel.poll(0)):
    subprocess.run(["/usr/bin/vde_plug", *sys.argv[1:]], pass_fds=[number], check=False)
    time.sleep(0.2)
