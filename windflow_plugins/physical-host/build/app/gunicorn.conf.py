# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gunicorn reads from the directory that it is started in; its command line wins."""

# Import the application once and not in each worker. It leaves nothing open that a fork must not inherit.
preload_app = True
# Nothing uses it, and instances and releases side by side would share one socket below their common home.
control_socket_disable = True
