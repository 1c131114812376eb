# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every error code: what it means, what the error left as it was, what to do.

``docs/errors.md`` is made from this table (``make docs``), and ``platform error CODE`` prints a row of it.
No code that runs on a host imports this file, so it costs no task anything.
"""

from __future__ import annotations

from typing import NamedTuple

NOTHING = "Nothing was changed."
SERVES = "A switch is undone: the release before it still serves. A removal stays as far as it came."
RELEASE = "The release that served before still serves. The unfinished release was deleted."
STEP = "The steps before this one stay. The release that served before still serves."
HOOK = "What the hook did stays. Before the deploy the platform changed nothing; after it, see rollback_on_failure."
NETWORKS = "The networks are again as they were. The release that served before still serves."
VENV = "The unfinished virtual environment was deleted. The release that served before still serves."
DATABASE = "PostgreSQL undoes a statement that fails. Earlier statements of this step stay."
LIVE = "The database itself was not changed. The unfinished backup or copy was deleted."
IMAGES = "The running containers were not changed. Finished images stay and are used by the next run."
RECORD = "The record was not changed."

AGAIN = "Run again."


class Row(NamedTuple):
    """What a code means, what to do about it, and what the error left as it was; each is one or more sentences."""

    meaning: str
    action: str
    left: str = NOTHING


class Group(NamedTuple):
    """Rows that stand under one heading of the document."""

    title: str
    rows: dict[str, Row]


GROUPS = (
    Group(
        "Files in YAML and JSON",
        {
            "E1000": Row(
                "The controller's Python lacks a package.",
                "Install the named packages for the Python that runs ansible-playbook.",
            ),
            "E1001": Row("The platform cannot read a file.", "Create the file, or correct its path or permissions."),
            "E1002": Row("A file has more than 1 MB or too many values.", "Make the file smaller."),
            "E1003": Row("A file is not text in UTF-8.", "Save the file as UTF-8."),
            "E1004": Row("A text holds a control character.", "Remove the character, or write it as an escape."),
            "E1005": Row("A file is empty.", "Write keys and values."),
            "E1006": Row("A file does not hold a map at its top level.", "Write keys and values."),
            "E1007": Row("YAML is indented with a tab.", "Indent with spaces."),
            "E1008": Row(
                "The text is not valid YAML or JSON.", "Check quotes, commas, brackets and indentation there."
            ),
            "E1009": Row("A file holds several YAML documents.", "Put each document into a file of its own."),
            "E1010": Row("A map has the same key twice.", "Remove one of the two."),
            "E1011": Row("YAML has an anchor, an alias or a merge key.", "Write the value out where it is used."),
            "E1012": Row("YAML has a tag.", "Remove the tag. Quote a text that begins with an exclamation mark."),
            "E1013": Row("Maps and lists are nested too deep.", "Make the structure flatter."),
            "E1014": Row("A key is not text.", "Put the key in quotes."),
            "E1015": Row("A number is NaN or infinite.", "Write a finite number, or text in quotes."),
            "E1016": Row("A number does not fit in 64 bits.", "Write a smaller number, or text in quotes."),
            "E1017": Row(
                "Reading the input took too long.",
                "Look for patterns with nested repetition such as (a+)+, and for very large values.",
            ),
            "E1018": Row("Reading the input took too much memory, or nests without end.", "Make the input smaller."),
        },
    ),
    Group(
        "Plugin directory and plugin.yml",
        {
            "E1020": Row(
                "There is no plugin of that name or path.",
                "Correct the name or the path. To remove a plugin without its directory, give its name and skip_hooks.",
            ),
            "E1021": Row("The plugin's directory or its plugin.yml cannot be read.", "Give the plugin's directory."),
            "E1030": Row("The plugin has no name or no version.", "Add the line to plugin.yml."),
            "E1031": Row("A value in plugin.yml has the wrong type.", "Write the type that the message names."),
            "E1032": Row("A plugin's or dependency's name is not allowed.", "Use lower-case letters, digits and -."),
            "E1033": Row("A version is not a semantic version.", "Write three numbers in quotes, such as 1.0.0."),
            "E1034": Row("plugin.yml has an unknown key.", "Correct the key, or remove it."),
            "E1035": Row("The list of dependencies is malformed.", "Write one item for each, such as - core: >=1.0.0."),
            "E1036": Row("A version constraint is malformed.", "Write for example >=1.0.0,<2.0.0."),
            "E1037": Row("An entry of results is malformed.", "Write a name and a key of the configuration, in dots."),
            "E1038": Row("hooks names an unknown event.", "Use one of the events that the message lists."),
            "E1039": Row("A value is not one of the possible ones.", "Use one of those that the message lists."),
            "E1040": Row("A hook's file is missing or cannot be read.", "Correct the path or the permissions."),
            "E1041": Row("A path leads to a directory instead of a file, or the reverse.", "Correct the path."),
            "E1042": Row("A path leads out of the plugin.", "Use a path below the plugin's directory."),
            "E1043": Row("A hook is not executable.", "Run chmod +x on it."),
            "E1044": Row("A hook's first line names no interpreter.", "Begin the hook with a line such as #!/bin/sh."),
            "E1045": Row("A hook's first line ends in CR LF.", "Save the hook with Unix line ends."),
            "E1046": Row(
                "The plugin holds a device, socket or pipe, or a link that leads out of it.",
                "Remove it, or put the file itself into the plugin.",
            ),
            "E1047": Row(
                "The plugin's schema, its defaults or one of its directories cannot be read.",
                "Correct the path or the permissions.",
            ),
            "E1048": Row(
                "plugin.yml names a target that the plugin has nothing for.",
                "Add the section host or the directory compose/, or remove the target.",
            ),
            "E1049": Row("A Compose file is malformed.", "Write services as a map, as Compose expects."),
            "E1050": Row("host has none or several of wsgi, asgi and command.", "Keep exactly one of them."),
            "E1051": Row(
                "The application's directory, its requirements or its static files are missing or unusable.",
                "Correct the path. It must lie inside the plugin.",
            ),
            "E1052": Row("wsgi or asgi names no callable.", "Write module:callable, such as app:application."),
            "E1053": Row(
                "host.command is malformed or has an unknown placeholder.",
                "Write a list of texts. Use the placeholders that the message lists.",
            ),
            "E1054": Row("A URL path does not begin with / or is malformed.", "Write for example /healthz."),
            "E1055": Row(
                "A Compose service asks for rights that plugin.yml does not allow.",
                "Do without them, or add the named kind to compose.allow.",
            ),
            "E1056": Row(
                "host describes a program although program is false.",
                "Remove the key, or remove program: false.",
            ),
            "E1057": Row(
                "A file that a Compose file names is missing or lies outside compose/ and build/.",
                "Correct the path, or copy the file there.",
            ),
            "E1058": Row("A value cannot be an environment variable.", "Remove the invalid character."),
            "E1059": Row(
                "An image's build context or Dockerfile is missing.",
                "Put both below compose/ or build/, or correct the path.",
            ),
            "E1060": Row("The configuration's schema cannot be read.", "Correct the path or the permissions."),
            "E1061": Row("The configuration's schema is not a valid JSON Schema.", "Correct the named key."),
            "E1062": Row("The schema names an unknown dialect.", "Use draft-07, 2019-09 or 2020-12."),
            "E1063": Row(
                "The schema refers to another schema.",
                "Copy that schema into definitions and refer to it by #/definitions/….",
            ),
            "E1064": Row(
                "A $ref leads to no part of the schema, or to several.",
                "Correct the path after #. Give each part its own anchor.",
            ),
            "E1065": Row("A pattern is no regular expression, or too long.", "Check its brackets and escapes."),
            "E1066": Row("x-env names no usable environment variable.", "Choose another name. Use each name once."),
            "E1067": Row(
                "x-generate stands at a value that cannot be generated.",
                "Use it at a text with writeOnly: true, outside lists.",
            ),
            "E1068": Row(
                "writeOnly is misspelt or not true or false.", 'Write "writeOnly": true, without quotes at true.'
            ),
            "E1069": Row("A service extends one that does not exist.", "Correct the name or the file."),
            "E1070": Row("Compose files or services refer to each other in a circle.", "Remove one of the references."),
            "E1071": Row(
                "server.bind is set, but a swarm publishes on all addresses of its nodes.",
                "Remove server.bind, or use the engine compose.",
            ),
            "E1072": Row("The host's Compose rejects the Compose files.", "Correct what its message names."),
            "E1073": Row("server.bind is not an IP address.", "Write 127.0.0.1, ::1 or an address of the host."),
            "E1074": Row(
                "An image's build uses the name of the release.",
                "Give it to the container as an environment variable instead.",
            ),
            "E1080": Row("The application's directory is missing.", "Correct the path."),
            "E1081": Row("A link leads out of the application's directory.", "Put the file itself there."),
            "E1082": Row("A file's name is not plain UTF-8.", "Rename the file."),
            "E1083": Row("A file of the application cannot be read.", "Correct its permissions."),
            "E1084": Row("The application holds a device, socket or pipe.", "Remove it."),
            "E1085": Row("A file changed while it was packed.", AGAIN),
            "E1086": Row(
                "The platform would generate a password for a database on another host.",
                "Give the password that the role has there.",
            ),
            "E1087": Row(
                "A value is encrypted with Ansible Vault and cannot be decrypted, or may not be encrypted there.",
                "Give --vault-password-file or --ask-vault-pass. Keep secrets out of the plugin.",
            ),
            "E1088": Row("A pattern in .windflowignore is malformed.", "Write one pattern a line, as in .gitignore."),
            "E1089": Row("explain was asked for a key that does not exist.", "Use one of the keys of the message."),
        },
    ),
    Group(
        "Configuration",
        {
            "E1101": Row("A value has the wrong type.", "Write a value of the named type."),
            "E1102": Row("A required key is missing.", "Add the key, or set its environment variable."),
            "E1103": Row("A key is unknown or not allowed.", "Correct the key, or remove it."),
            "E1104": Row("A value is not one of the possible ones.", "Write one of those that the message lists."),
            "E1105": Row("A number is too small, too large or no multiple.", "Write a number within the limits."),
            "E1106": Row("A text, list or map is too short or too long.", "Keep to the limit that the message names."),
            "E1107": Row("A text does not match the schema's pattern.", "Write a text that matches."),
            "E1108": Row("A text does not have the schema's format.", "Write the named format."),
            "E1109": Row("A value differs from the only possible one.", "Write the value that the message names."),
            "E1110": Row("A value or combination of keys is excluded.", "Remove one of the keys, or change the value."),
            "E1111": Row("A map fits none or several of the schema's forms.", "Keep the keys of exactly one form."),
            "E1112": Row("A list has the same item twice.", "Remove one of the two."),
            "E1113": Row("A value breaks another rule of the schema.", "Look at the keyword in the plugin's schema."),
            "E1120": Row("Two layers disagree about a key's type.", "Write the same type of value in both places."),
            "E1121": Row("A configuration file cannot be read.", "Create it, or correct its path or permissions."),
            "E1122": Row("The environment's name is unknown or malformed.", "Correct it, or add an overlay for it."),
            "E1123": Row("A value is not text in UTF-8.", "Write the value in UTF-8."),
            "E1124": Row("An argument of --set is malformed.", "Write key=value, such as app.log_level=debug."),
            "E1130": Row("host.connection has a password and a key file.", "Remove one of them, best the password."),
            "E1131": Row("host.os.family is unknown.", "Use one of the families that the message lists."),
            "E1132": Row("A network is not in CIDR notation.", "Write for example 192.168.1.0/24."),
            "E1133": Row("A volume's size is not above 0.", "Write the size in GB, such as 10."),
            "E1134": Row(
                "A path is not absolute, has .. or special characters, or is too long.",
                "Write a short absolute path.",
            ),
            "E1135": Row("A path is a directory of the system.", "Choose a directory for this application alone."),
            "E1136": Row("Two volumes have the same name or path.", "Change one of the two."),
            "E1137": Row("An NFS volume has no server or no export.", "Add the key."),
            "E1138": Row(
                "A secret is a placeholder, empty or the same as the user's name.",
                "Set a real secret in a vaulted file, the inventory or an environment variable.",
            ),
            "E1139": Row("A text holds a line break or control character.", "Remove the character."),
            "E1140": Row("A name or value has the wrong form.", "Write it as the message shows."),
            "E1141": Row("A port is not a number from 1 to 65535.", "Write for example 8080, without quotes."),
            "E1142": Row(
                "Data or logs lie inside install_dir, which is deleted with the application.",
                "Choose a directory outside install_dir.",
            ),
            "E1143": Row(
                "adopt is malformed, or stands in the plugin.",
                "Write for example adopt: [account] in the inventory, a configuration file or --set.",
            ),
            "E1150": Row(
                "A secret stands on the command line, where other users can read it.",
                "Set it in a configuration file, a vaulted windflow_config or its environment variable.",
            ),
            "E1151": Row(
                "The lookup was asked for a secret that was generated on the host.",
                "Give the secret in the configuration, or leave it to the platform's own tasks.",
            ),
            "E1152": Row("The lookup was asked for a key that is not set.", "Correct the key, or give a default."),
            "E1160": Row("An option of a volume has no meaning beside the others.", "Remove it, or correct the rest."),
            "E1161": Row("A volume with a file system of its own has no size_gb.", "Add size_gb, such as 10."),
            "E1170": Row(
                "A network's address has no prefix length, or is none of a host in cidr.",
                "Write for example 192.168.1.10/24.",
            ),
            "E1171": Row("A gateway is outside its network.", "Write the address of the router in that network."),
            "E1172": Row("A VLAN has no valid number.", "Write for example vlan_id: 10."),
            "E1173": Row("The members of a network do not fit its type.", "Write for example [eth1, eth2]."),
            "E1174": Row("Two networks have one name, or configure one interface.", "Change one of the two."),
            "E1175": Row(
                "A key of a network needs an address, or another type.",
                "Add address, correct type, or remove the key; for a link without an address, remove cidr.",
            ),
            "E1176": Row("A value of a network cannot be used.", "Write a value of the kind that the message names."),
        },
    ),
    Group(
        "Values that a generated file cannot hold",
        {
            "E1188": Row(
                "host.command has an unknown placeholder.",
                "Use one of those that the message lists. Write {{ and }} for braces.",
            ),
            "E1189": Row("An env file cannot hold the value.", "Leave out the quotes that the message names."),
            "E1190": Row("A value is neither text nor a whole number.", "Give the value as text."),
            "E1191": Row("A value holds a control character.", "Remove the character."),
            "E1192": Row("nginx cannot take the value: it has a $ or is too long.", "Remove the $, or shorten it."),
            "E1193": Row("A server name is malformed.", "Write a host name without scheme and port."),
            "E1194": Row("A duration is no number of seconds, or too long.", "Give seconds, 0 or more."),
            "E1195": Row("A size is malformed.", "Write a number with k, m or g, such as 10m."),
            "E1196": Row("A path has characters that need quotes.", "Use letters, digits and _./:@+,=-."),
            "E1197": Row("Supervisor cannot take the value.", "Keep the value in the application's configuration."),
            "E1198": Row("A command for Supervisor is malformed.", "Name the program by its absolute path, in ASCII."),
            "E1199": Row("A variable for Supervisor is malformed.", "Rename it, and remove quotes from its value."),
        },
    ),
    Group(
        "Dependencies",
        {
            "E1201": Row("A plugin depends on itself.", "Remove the entry."),
            "E1202": Row("Plugins depend on each other in a circle.", "Remove one of the dependencies."),
            "E1203": Row(
                "No plugin provides a dependency.",
                "Put the plugin into windflow_plugins/, or name the dependency in windflow_external.",
            ),
            "E1204": Row(
                "No version of a dependency fits all plugins that need it.",
                "Change a constraint, or add a version that all accept.",
            ),
            "E1205": Row(
                "The plugin does not accept this version of the platform.",
                "Install a version of windflow.platform that the plugin accepts.",
            ),
        },
    ),
    Group(
        "Preflight: the host, checked before the first change",
        {
            "E2001": Row("The run has no root rights on the host.", "Set become: true, or connect as root."),
            "E2002": Row("The host has another OS family than configured.", "Correct host.os.family or the inventory."),
            "E2003": Row("The platform does not support the host's OS family.", "Choose another host."),
            "E2004": Row("The host has another OS version than configured.", "Correct host.os.version."),
            "E2005": Row("The host's Python is too old.", "Install a newer Python."),
            "E2006": Row("The host has fewer processors than configured.", "Use a larger host, or lower the key."),
            "E2007": Row("The host has less memory than configured.", "Use a larger host, or lower the key."),
            "E2008": Row("A file system lacks space or inodes.", "Free some space."),
            "E2009": Row("Another program uses the port.", "Stop it, or set another server.host_port."),
            "E2012": Row("The plugin does not support the target.", "Choose one of its targets."),
            "E2013": Row("The inventory names no host.", "Name the right one with -i, or none for this machine."),
            "E2014": Row("The private key of host.connection is missing.", "Correct host.connection.key_file."),
            "E2015": Row("Other users can read the private key.", "Run chmod 600 on the key."),
            "E2016": Row(
                "The plugin is deployed with another target.",
                "Remove the plugin first. Its database does not move with it.",
            ),
            "E2017": Row("No Docker Engine answers.", "Install Docker Engine and start it."),
            "E2018": Row("Compose is missing or too old.", "Install Compose v2 as the client's plugin."),
            "E2019": Row(
                "The plugin is deployed with another engine.",
                "Remove the plugin first. Its containers and its database are there.",
            ),
            "E2020": Row("The host manages no Docker Swarm.", "Name a manager, or run docker swarm init."),
            "E2021": Row(
                "A newer version of the plugin is deployed.",
                "Run the playbook rollback, or add allow_downgrade=true.",
            ),
            "E2022": Row("The host or the input differs from the saved plan.", "Make a new plan and look at it."),
            "E2023": Row("The file is no saved plan, or of another format.", "Make a new plan."),
            "E2024": Row(
                "Another plugin on the host does not accept the new version, or its record cannot be read.",
                "Change the other plugin first, or repair its record.",
            ),
            "E2025": Row(
                "Containers cannot reach a dependency that runs straight on the host.",
                "Deploy both with target=host.",
            ),
            "E2026": Row("The host did not answer the plan's question.", "Run the task with -vvv and read its output."),
            "E2027": Row(
                "The plugin cannot reach a dependency in another engine.",
                "Use one engine for both, or name the dependency in windflow_external.",
            ),
            "E2028": Row(
                "A swarm cannot run migration hooks.",
                "Migrate when the application starts, under a lock.",
            ),
            "E2029": Row(
                "The older release needs another version of a dependency.",
                "Deploy that version first, or roll back to another revision.",
            ),
            "E2030": Row(
                "A dependency was deployed with values that this run does not have.",
                "Write them into windflow_plugin_config, or deploy the dependency by its own name.",
            ),
            "E2031": Row("The run has no host.", "Check windflow_hosts, --limit and the inventory."),
            "E2032": Row(
                "nginx is stopped and cannot start: another server uses a port of its sites.",
                "Change that site, or stop the other server.",
            ),
            "E2033": Row(
                "A directory belongs to somebody else.",
                "Name another directory, or adopt this one with adopt: [directories].",
            ),
            "E2034": Row(
                "A directory belongs to the system or to the platform.",
                "Name a directory for this application alone.",
            ),
            "E2035": Row(
                "An account or group has rights of its own and is never used.",
                "Name another one, which the platform then creates.",
            ),
            "E2036": Row(
                "An account or group was not made by the platform for this plugin.",
                "Name another one, or adopt this one with adopt: [account] or [group].",
            ),
            "E2037": Row(
                "A requirement would be built from source in production.",
                "Ship a wheel, or add the package to app.source_packages.",
            ),
            "E2040": Row(
                "A database was not made by the platform for this plugin, or belongs to a superuser.",
                "Name another one, or adopt this one with adopt: [database].",
            ),
            "E2041": Row(
                "A database role was not made by the platform for this plugin, or has rights over the server.",
                "Name another one, or adopt this one with adopt: [role].",
            ),
            "E2042": Row(
                "pg_hba.conf does not let the superuser postgres in.",
                "Add the line local all postgres peer before the line named, then reload PostgreSQL.",
            ),
            "E2045": Row("replicas is below 1.", "Give a number of 1 or more."),
            "E2046": Row(
                "Another release serves than the record names. This is a warning.",
                "Nothing, or deploy again: plans use what serves.",
            ),
            "E2047": Row(
                "nginx or Supervisor includes no directory for the platform's files.",
                "Correct the named file of the host.",
            ),
            "E2048": Row(
                "A volume needs more space than is free.", "Free space, lower size_gb or choose another path."
            ),
            "E2049": Row("purge does not repeat the plugin's name.", "Give the name of the plugin whose data may go."),
            "E2050": Row(
                "An option of ansible-playbook would leave out some tasks.",
                "Leave it out: each step needs those before it.",
            ),
            "E2060": Row("An NFS server does not answer.", "Start it, let the host reach it, or correct its name."),
            "E2061": Row("An NFS server does not give an export to the host.", "Export it there, or correct export."),
            "E2062": Row(
                "A device, volume or directory carries data that the platform has not put there.",
                "Name another one, or save the data and delete them yourself.",
            ),
            "E2063": Row("A volume is larger than size_gb. Volumes never shrink.", "Write its present size or more."),
            "E2064": Row(
                "A volume group or device is missing or too small.",
                "Correct vg or devices, add a device, or lower size_gb.",
            ),
            "E2066": Row("A mount of the host does not answer.", "Start its server, or unmount it with umount --lazy."),
            "E2067": Row(
                "A file system is mounted read-only or without programs, or /dev/shm is not for every account.",
                "Mount it otherwise, or choose another directory.",
            ),
            "E2068": Row(
                "A warning: plugin.yml names packages for other OS families, and none for the host's.",
                "Add the family to host.packages, with an empty list if it needs none.",
            ),
            "E2069": Row(
                "SELinux: no module can label the directory of the sockets, which nginx has to reach.",
                "Set another app.install_dir, outside the home directories.",
            ),
            "E2070": Row("The host has no such interface.", "Write the name of one that the message lists."),
            "E2071": Row(
                "The interface has no address in the network.",
                "Correct cidr or interface, or add an address, which configures the interface.",
            ),
            "E2072": Row(
                "No program of the host can configure the interface.",
                "Correct what the message names, or configure the interface by hand and leave out address.",
            ),
            "E2073": Row(
                "The run would change an interface that carries its own connection.",
                "Set the variable that the message names to true. The host restores itself if the connection is lost.",
            ),
            "E2074": Row(
                "The host has a default route of its own.",
                "Leave out gateway, or remove that route from the host's own configuration.",
            ),
            "E2075": Row("The host has no program ip.", "Install the package iproute2."),
            "E2076": Row(
                "An interface would lose its address as a member of another.",
                "Remove the address from the host's own configuration.",
            ),
            "E2077": Row(
                "An interface of that name is there and is something else.",
                "Choose another name, or write what it is.",
            ),
        },
    ),
    Group(
        "Hooks",
        {
            "E3001": Row("A hook failed.", "Correct what its last lines report, then run again.", HOOK),
            "E3002": Row("A hook ran too long and was ended.", "See what it waits for, or raise its timeout.", HOOK),
            "E3003": Row(
                "A hook could not be started.",
                "Begin it with a line such as #!/bin/sh and make it executable.",
                HOOK,
            ),
            "E3004": Row(
                "A hook's result is no JSON map, is too large or holds a secret.",
                "Correct the result file.",
                HOOK,
            ),
            "E3005": Row("A hook's account is missing or cannot be used.", "Create the account, or use become.", HOOK),
            "E3006": Row("The results of all hooks are too large.", "Write files and pass their paths.", HOOK),
            "E3007": Row("The host did not answer after a hook.", "Run the task with -vvv and read its output.", HOOK),
            "E3008": Row(
                "A hook that runs once for all hosts failed on another host.",
                "Correct what that host reports, then run again.",
                HOOK,
            ),
        },
    ),
    Group(
        "Releases and files on the host",
        {
            "E4001": Row(
                "The new release could not be written.", "Free space (df, df -i) or repair the disk.", RELEASE
            ),
            "E4002": Row("The input changed after the plan was made.", AGAIN, STEP),
            "E4010": Row("An entry of the module files is malformed.", "Correct the entry."),
            "E4011": Row("A file's owner or group does not exist.", "Create it first."),
            "E4012": Row("A file's directory does not exist.", "List the directory before the file."),
            "E4013": Row(
                "Something of another kind is at the path, or the path is too high in the tree to delete.",
                "Move it away, or name another path.",
            ),
            "E4014": Row("The path has a link that another user made.", "Remove the link."),
            "E4015": Row(
                "The host refused to read or write a file.",
                "Correct the host (space, permissions), then run again.",
                "The message names the files that were changed before.",
            ),
            "E4016": Row("The source of a file cannot be read.", "Correct source."),
            "E4017": Row("A program refuses the files that were written.", "Correct what it says.", LIVE),
            "E4020": Row(
                "An archive has a member that is no plain file, directory or inner link, or is too large.",
                "Make the archive again.",
            ),
            "E4021": Row("The directory to unpack into exists already.", "Choose another name."),
            "E4022": Row(
                "An archive could not be unpacked.",
                "Free space (df, df -i) or correct the permissions.",
                "Nothing of the archive was kept.",
            ),
            "E4046": Row("The host refused to change a file.", "Correct the host, then run again.", STEP),
            "E4057": Row(
                "useradd, usermod or a similar program failed.",
                "Correct what it reports, then run again.",
                "Accounts may be half made.",
            ),
            "E4058": Row(
                "A directory could not be removed.",
                "Correct what the message names, then remove again.",
                "What was removed before is gone. The record still knows the rest.",
            ),
        },
    ),
    Group(
        "Switch to a release",
        {
            "E4030": Row("Supervisor's configuration is malformed.", "Correct the named file.", SERVES),
            "E4031": Row(
                "Supervisor does not answer.", "Start the service supervisor, or correct its password.", SERVES
            ),
            "E4032": Row("Supervisor refused a call.", "Read Supervisor's own log.", SERVES),
            "E4033": Row("Processes did not stop in time.", "End the processes, then run again.", SERVES),
            "E4034": Row(
                "nginx does not include the site's directory.", "Name a directory that nginx.conf includes.", SERVES
            ),
            "E4035": Row("nginx rejects the new configuration.", "Correct what nginx names.", SERVES),
            "E4036": Row("The program nginx cannot be started.", "Install nginx, or name its program.", SERVES),
            "E4037": Row("nginx did not load the new configuration.", "Read nginx's log.", SERVES),
            "E4038": Row(
                "A file of the release is missing.", "Deploy again, so that the release is made again.", SERVES
            ),
            "E4039": Row("The application's account or group does not exist.", "Create it first.", SERVES),
            "E4040": Row(
                "A process of the new release does not answer its health check.",
                "Read the last lines of its log, correct the application, deploy again.",
                SERVES,
            ),
            "E4041": Row(
                "A process of the new release does not keep running.",
                "Read the last lines of its log, correct the application, deploy again.",
                SERVES,
            ),
            "E4042": Row("nginx does not run.", "Start the service nginx.", SERVES),
            "E4043": Row(
                "The new release does not answer through nginx.",
                "Check server.host_port, the host name and nginx's other sites.",
                SERVES,
            ),
            "E4044": Row("An option of the switch is malformed.", "Correct the named option."),
            "E4045": Row("A signal interrupted the task on the host.", AGAIN, SERVES),
            "E4047": Row("A service did not start.", "Correct what its log names, then run again.", STEP),
            "E4048": Row("Somebody interrupted the run with Ctrl-C.", AGAIN, SERVES),
            "E4049": Row(
                "status found that a release does not answer, or that another one serves than recorded.",
                "Read the log of the application. Deploy or roll back.",
            ),
        },
    ),
    Group(
        "Network interfaces",
        {
            "E4100": Row(
                "The host did not become what is wanted of its networks.",
                "Correct the configuration, then run again.",
                NETWORKS,
            ),
            "E4101": Row(
                "The connection was lost after a change of networks, and the host undid the change.",
                "Correct the configuration, then run again.",
                NETWORKS,
            ),
            "E4102": Row(
                "The host cannot be reached after a change of networks.",
                "Look at the host from its console. The message names the script that undoes the change.",
                "The change undoes itself within the time that the message names.",
            ),
            "E4103": Row("The restore of the networks could not be armed.", "Look at the journal of the host."),
        },
    ),
    Group(
        "Database",
        {
            "E4050": Row("PostgreSQL cannot hold a name or a text.", "Choose another one."),
            "E4051": Row(
                "PostgreSQL does not answer on its local socket, or does not let the superuser in.",
                "Start PostgreSQL, correct database.port, or correct pg_hba.conf as the message says.",
            ),
            "E4052": Row("PostgreSQL refused a statement.", "Correct what the server names.", DATABASE),
            "E4053": Row(
                "The database belongs to another role.",
                "Name another database, or change its owner yourself.",
            ),
            "E4054": Row("The database has no password.", "Set database.password."),
            "E4055": Row(
                "PostgreSQL did not answer in time.",
                "See in pg_stat_activity what it waits for, then run again.",
                DATABASE,
            ),
            "E4065": Row(
                "Something keeps the database or its roles from being dropped.",
                "End, drop or reassign what the message names, then purge again.",
                "What was dropped before is gone.",
            ),
            "E4066": Row(
                "The schema public does not belong to the database's owner.",
                "Change its owner with the statement in the message.",
            ),
            "E4067": Row(
                "pg_hba.conf does not let a temporary login of the platform in.",
                "Add the line of the message, and let PostgreSQL listen on 127.0.0.1.",
                DATABASE,
            ),
        },
    ),
    Group(
        "Virtual environment",
        {
            "E4060": Row("An option of the virtual environment is malformed.", "Correct the option."),
            "E4061": Row("Something else is at the virtual environment's path.", "Move it away."),
            "E4062": Row("The virtual environment could not be made.", "Free space, or install the program.", VENV),
            "E4063": Row(
                "pip could not install the requirements.",
                "Read pip's last lines: index, certificate, hash or version.",
                VENV,
            ),
            "E4064": Row(
                "No wheel fits the host's Python.",
                "Correct the version or the index, or add the package to app.source_packages.",
                VENV,
            ),
        },
    ),
    Group(
        "Containers",
        {
            "E4070": Row("The Docker client failed.", "Correct what it reports, then run again.", SERVES),
            "E4071": Row("Compose started another number of containers.", "Read the engine's log.", SERVES),
            "E4072": Row(
                "A new container does not answer its health check.",
                "Read the last lines of its log, correct the application, deploy again.",
                SERVES,
            ),
            "E4073": Row(
                "A new container does not keep running or is unhealthy.",
                "Read the last lines of its log, correct the application, deploy again.",
                SERVES,
            ),
            "E4074": Row("The front did not load its new list of servers.", "Correct the front's files.", SERVES),
            "E4075": Row("The new release does not answer through the front.", "Check port and host name.", SERVES),
            "E4076": Row("The engine cannot list images.", "Correct what Docker reports.", IMAGES),
            "E4077": Row("An image could not be built.", "Correct what the build reports.", IMAGES),
            "E4078": Row("Images could not be loaded.", "Free space, or correct what Docker reports.", IMAGES),
            "E4079": Row("Images could not be saved.", "Free space, or correct what Docker reports.", IMAGES),
            "E4080": Row(
                "A swarm cannot run a service as it is written.",
                "Change what the message names in compose.swarm.yaml, or use the engine compose.",
            ),
            "E4081": Row("An image could not be pushed.", "Check the registry and its certificate.", IMAGES),
            "E4082": Row("An image could not be pulled.", "Check the registry and its certificate.", IMAGES),
            "E4083": Row("Images of the release are missing on the host.", "Deploy again.", SERVES),
            "E4084": Row(
                "Tasks of the stack do not become healthy.",
                "Read the tasks' errors and log, correct the application, deploy again.",
                SERVES,
            ),
            "E4085": Row(
                "The release's Compose model asks for rights that plugin.yml does not allow.",
                "Do without them, or add the named kind to compose.allow.",
                SERVES,
            ),
            "E4086": Row(
                "Files that containers mount could not be copied or moved.",
                "Free space, remove the link, or move the files yourself.",
                SERVES,
            ),
            "E4087": Row(
                "A service that others wait for did not end well.",
                "Read its log and correct it.",
                SERVES,
            ),
        },
    ),
    Group(
        "Backup and restore",
        {
            "E4056": Row("Other users can write to the backups' directory.", "Name another one, or correct this one."),
            "E4059": Row("The label belongs to a backup of another database.", "Use another label or directory."),
            "E4068": Row(
                "Nobody but superusers could own what the backup holds.",
                "Give the database to another role: ALTER DATABASE … OWNER TO ….",
                LIVE,
            ),
            "E4069": Row("Another backup or restore of the plugin is running.", "Wait for it."),
            "E4088": Row(
                "A role that owns something in the backup does not exist.", "Create it, then run again.", LIVE
            ),
            "E4090": Row("PostgreSQL does not answer.", "Start it, or correct port, socket_dir or container.", LIVE),
            "E4091": Row("There is no such database.", "Name one that exists."),
            "E4089": Row("pg_hba.conf cannot be read or written.", "Correct hba_file, or its permissions.", LIVE),
            "E4092": Row("A program of PostgreSQL is missing or too old.", "Install the package named.", LIVE),
            "E4093": Row("There is not enough space for the backup or the copy.", "Free space there.", LIVE),
            "E4094": Row("pg_dump, pg_restore or psql failed.", "Correct what it names, then run again.", LIVE),
            "E4095": Row(
                "The restored copy has another number of rows than the database had.",
                "See whether a trigger, rule or extension adds rows, then run again.",
                LIVE,
            ),
            "E4096": Row("There is no backup with that label.", "Use one of the labels in the message."),
            "E4097": Row("The backup is damaged or was changed.", "Use another backup. Check the disk.", LIVE),
            "E4098": Row(
                "The backup or restore took too long.",
                "Raise the timeout, or see what the server waits for.",
                LIVE,
            ),
            "E4099": Row("An option of the backup is malformed.", "Correct the named option."),
        },
    ),
    Group(
        "Volumes",
        {
            "E4023": Row("The space of a volume in a file cannot be reserved.", "Free space there.", STEP),
            "E4024": Row("A volume cannot be mounted.", "Correct what the message says, then run again.", STEP),
            "E4025": Row("A file system cannot grow.", "Correct what the message says, then run again.", STEP),
            "E4026": Row(
                "A volume cannot be given to its owner.",
                "On NFS with root_squash, set the owner on the server, or name its owner in options.",
                STEP,
            ),
            "E4027": Row("A volume is not as wanted after the change.", "Correct what the message names.", STEP),
            "E4028": Row("A volume cannot be unmounted.", "Unmount it by hand, then run again.", STEP),
            "E4029": Row("A logical volume cannot be deleted.", "Correct what the message says, then purge again."),
        },
    ),
    Group(
        "Record, lease and rollback",
        {
            "E5001": Row(
                "Another run has the lease of the plugin on the host.",
                "Wait for it (lock_wait), or run the playbook unlock if it is certainly dead.",
            ),
            "E5002": Row(
                "The run lost its lease to another run.",
                AGAIN,
                "The record was not changed. The run did not switch.",
            ),
            "E5003": Row(
                "Neither the record nor its copy can be used.",
                "Restore record.json from a backup, or move both files away to deploy as on a new host.",
            ),
            "E5004": Row(
                "The host cannot write the record.",
                "Free space (df, df -i) or repair the disk, then run again.",
                RECORD,
            ),
            "E5005": Row("Another run ended since this one was planned.", "Look at the status, then run again."),
            "E5010": Row(
                "There is no earlier release to roll back to.",
                "Choose one of the revisions in the message, or deploy an older version.",
            ),
            "E5011": Row(
                "Another plugin on the host needs this one, or its record cannot be read.",
                "Remove the other plugin first, or repair its record.",
            ),
            "E5013": Row(
                "The file of generated secrets is malformed.",
                "Restore it from a backup, or give the secrets in the inventory.",
            ),
            "E5014": Row(
                "There is no database or no backup of the plugin on the host.",
                "Deploy the plugin, or name a label (backup=).",
            ),
            "E5015": Row(
                "Other plugins use the database and would lose data.",
                "Add restore_shared=true if that is meant.",
            ),
            "E5016": Row("Several hosts would be restored at once.", "Name them with windflow_hosts."),
            "E5017": Row("A backup with that label exists.", "Name another label.", "No backup was made."),
            "E5018": Row("No host has a record of the plugin.", "Correct the name or the inventory."),
            "E5019": Row("A generated secret changed during the run.", AGAIN, STEP),
        },
    ),
)
ROWS = {code: row for group in GROUPS for code, row in group.rows.items()}


def as_text(code: str) -> str:
    """Returns the row of ``code`` for a terminal. Raises KeyError for a code that does not exist."""
    row = ROWS[code]
    return "%s: %s\nUnchanged: %s\nFix: %s" % (code, row.meaning, row.left, row.action)


def as_markdown() -> str:
    """Returns the whole table as docs/errors.md."""
    lines = [
        "# Error codes",
        "",
        "Every message of the platform begins with a code. `platform error E1138` prints a row of this page.",
        "The first digits name the area. `make docs` makes this page from",
        "[error_table.py](../plugins/module_utils/text/error_table.py); do not edit it by hand.",
        "",
        *("- [%s](#%s)" % (group.title, _anchor(group.title)) for group in GROUPS),
    ]
    for group in GROUPS:
        lines += ["", "## %s" % group.title, "", "| code | meaning | unchanged | what to do |", "|---|---|---|---|"]
        for code, row in group.rows.items():
            cells = (row.meaning, row.left, row.action)
            lines.append('| <a id="%s"></a>%s | %s |' % (code.lower(), code, " | ".join(map(_escaped, cells))))
    return "\n".join(lines) + "\n"


def _anchor(title: str) -> str:
    kept = "".join(character for character in title.lower() if character.isalnum() or character in " -")
    return kept.replace(" ", "-")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("<", "&lt;").replace(">", "&gt;").replace("|", "\\|").replace("*", "\\*")
