# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.config.checks import check_config
from ansible_collections.windflow.platform.plugins.module_utils.config.loading import load_config
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import load_manifest

SCHEMA = {
    "properties": {
        "app": {"properties": {"secret_key": {"writeOnly": True, "x-env": "SECRET_KEY"}}},
        "database": {"properties": {"password": {"writeOnly": True}}},
        "email": {"properties": {"password": {"writeOnly": True}}},
    }
}


@pytest.fixture
def check(make_plugin, tmp_path):
    def call(text: str, environment: str | None = None) -> tuple[list, list]:
        manifest = load_manifest(make_plugin(files={"config/schema.json": SCHEMA}))
        path = make_plugin.write(tmp_path / "my.yaml", text)
        return check_config(load_config(manifest, environment, None, [path]), environment)

    return call


@pytest.mark.parametrize("bind", ["", "0.0.0.0", "127.0.0.1", "::1", "[::1]", "2001:db8::7"])
def test_an_address_to_listen_at_is_accepted_in_any_form(check, bind):
    assert check("server: {bind: '%s'}\n" % bind)[0] == []


def volume(text: str) -> str:
    return "storage:\n  volumes:\n    - {%s}\n" % text


def volumes(*texts: str) -> str:
    return "storage:\n  volumes:\n" + "".join("    - {%s}\n" % text for text in texts)


def network(more: str) -> str:
    keys = {"name": "n", "interface": "eth0", "cidr": "10.1.0.0/16"}
    keys.update(pair.split(": ", 1) for pair in re.split(r", (?=[a-z_]+: )", more) if pair)
    return "network:\n  networks:\n    - {%s}\n" % ", ".join("%s: %s" % item for item in keys.items())


NFS = "name: a, path: /mnt/a, type: nfs, options: {%s}"

# case: (configuration, code, line, path, words)
WRONG = {
    "both password and key_file": (
        "host:\n  connection:\n    password: CANARY\n    key_file: /k\n",
        "E1130",
        2,
        "host.connection",
        ["password and key_file", "remove one"],
    ),
    "connection host": (
        "host: {connection: {host: -oProxyCommand=x}}\n",
        "E1140",
        1,
        "host.connection.host",
        ["-oProxy"],
    ),
    "connection user": ("host: {connection: {user: -x}}\n", "E1140", 1, "host.connection.user", ["login name"]),
    "connection port": ("host: {connection: {port: 0}}\n", "E1141", 1, "host.connection.port", ["1 to 65535", "got 0"]),
    "os.family ubuntu": (
        "host:\n  os:\n    family: ubuntu\n",
        "E1131",
        3,
        "host.os.family",
        ['"ubuntu"', 'write "debian"'],
    ),
    "os.family fedora": ("host: {os: {family: fedora}}\n", "E1131", 1, "host.os.family", ['write "redhat"']),
    "os.family Debian": ("host: {os: {family: Debian}}\n", "E1131", 1, "host.os.family", ['write "debian"']),
    "os.family opensuse": ("host: {os: {family: opensuse}}\n", "E1131", 1, "host.os.family", ['write "suse"']),
    "os.family manjaro": ("host: {os: {family: manjaro}}\n", "E1131", 1, "host.os.family", ['write "arch"']),
    "os.family windows": (
        "host: {os: {family: windows}}\n",
        "E1131",
        1,
        "host.os.family",
        ["debian, redhat, suse, arch"],
    ),
    "host_port quoted": ('server: {host_port: "8080"}\n', "E1141", 1, "server.host_port", ['"8080"', "without quotes"]),
    "host_port 0": ("server:\n  host_port: 0\n", "E1141", 2, "server.host_port", ["1 to 65535"]),
    "host_port 70000": ("server: {host_port: 70000}\n", "E1141", 1, "server.host_port", ["70000"]),
    "bind to a name": ("server: {bind: localhost}\n", "E1073", 1, "server.bind", ["localhost", "127.0.0.1"]),
    "bind to a number": ("server: {bind: 1}\n", "E1073", 1, "server.bind", ["127.0.0.1"]),
    "host_port true": ("server: {host_port: true}\n", "E1141", 1, "server.host_port", ["true"]),
    "cidr with host bits": (
        "network:\n  networks:\n    - {name: a, interface: eth0,\n       cidr: 192.168.1.5/24}\n",
        "E1132",
        4,
        "network.networks[0].cidr",
        ["host bits", '"192.168.1.0/24"'],
    ),
    "cidr that is none": (network("cidr: eth0"), "E1132", 3, "network.networks[0].cidr", ['"eth0"']),
    "interface": (network("interface: -x"), "E1140", 3, "network.networks[0].interface", ["eth0"]),
    "interface too long": (network("interface: abcdefghijklmnop"), "E1140", 3, "", ["eth0"]),
    "interface missing": (network("interface: ''"), "E1140", 3, "network.networks[0].interface", ["eth0"]),
    "type of network": (network("type: wifi"), "E1176", 3, "network.networks[0].type", ["vlan", '"wifi"']),
    "gateway without an address": (
        network("gateway: 10.1.0.1"),
        "E1175",
        3,
        "network.networks[0].gateway",
        ["address"],
    ),
    "address without a prefix": (
        network("address: 10.1.0.5"),
        "E1170",
        3,
        "network.networks[0].address",
        ["prefix length", '"10.1.0.5"', "write for example 10.1.0.5/16"],
    ),
    "address with another prefix": (
        network("address: 10.1.0.5/24"),
        "E1170",
        3,
        "network.networks[0].address",
        ["10.1.0.0/16", "write 10.1.0.5/16"],
    ),
    "address of another network": (
        network("address: 10.2.0.5/16"),
        "E1170",
        3,
        "network.networks[0].address",
        ["an address of the network 10.1.0.0/16", "correct address or cidr"],
    ),
    "address of the network": (network("address: 10.1.0.0/16"), "E1170", 3, "", ["network's own"]),
    "address that is broadcast": (network("address: 10.1.255.255/16"), "E1170", 3, "", ["network's own"]),
    "gateway outside": (
        network("address: 10.1.0.5/16, gateway: 10.2.0.1"),
        "E1171",
        3,
        "network.networks[0].gateway",
        ["10.1.0.0/16", '"10.2.0.1"'],
    ),
    "gateway that is the address": (network("address: 10.1.0.5/16, gateway: 10.1.0.5"), "E1171", 3, "", ["another"]),
    "dns by name": (network("address: 10.1.0.5/16, dns: [ns.example.com]"), "E1176", 3, "", ["ns.example.com"]),
    "mtu": (network("address: 10.1.0.5/16, mtu: 20"), "E1176", 3, "network.networks[0].mtu", ["68 to 65535", "got 20"]),
    "vlan without a number": (
        network("address: 10.1.0.5/16, type: vlan, members: [eth1]"),
        "E1172",
        3,
        "network.networks[0].vlan_id",
        ["1 to 4094", "nothing"],
    ),
    "vlan without an interface below": (
        network("address: 10.1.0.5/16, type: vlan, vlan_id: 7"),
        "E1173",
        3,
        "network.networks[0].members",
        ["lies on"],
    ),
    "vlan on two": (network("address: 10.1.0.5/16, type: vlan, vlan_id: 7, members: [a, b]"), "E1173", 3, "", ["one"]),
    "bond without members": (network("address: 10.1.0.5/16, type: bond"), "E1173", 3, "", ["the bond", "nothing"]),
    "members that are one text": (network("address: 10.1.0.5/16, type: bond, members: eth1"), "E1173", 3, "", ["list"]),
    "member of itself": (network("address: 10.1.0.5/16, type: bridge, members: [eth0]"), "E1173", 3, "", ["other"]),
    "member twice": (network("address: 10.1.0.5/16, type: bond, members: [a, a]"), "E1173", 3, "", ["once"]),
    "members of a physical one": (network("address: 10.1.0.5/16, members: [eth1]"), "E1173", 3, "", ["members"]),
    "mode of a bridge": (network("address: 10.1.0.5/16, type: bridge, mode: broadcast"), "E1175", 3, "", ["bond"]),
    "mode that is none": (
        network("address: 10.1.0.5/16, type: bond, members: [eth1], mode: fast"),
        "E1176",
        3,
        "network.networks[0].mode",
        ["802.3ad", '"fast"'],
    ),
    "network twice": (network("") + network("").splitlines()[-1] + "\n", "E1174", 4, "", ["network.networks[0]"]),
    "interface configured twice": (
        network("address: 10.1.0.5/16") + "    - {name: m, interface: eth0, address: 10.2.0.5/16}\n",
        "E1174",
        4,
        "network.networks[1].interface",
        ["network.networks[0]", '"eth0"'],
    ),
    "member with an address": (
        network("address: 10.1.0.5/16, type: bridge, members: [bond0]")
        + "    - {name: m, interface: bond0, type: bond, members: [eth1], address: 10.2.0.5/16}\n",
        "E1174",
        4,
        "network.networks[1].interface",
        ["network.networks[0]", '"bond0"'],
    ),
    "bridge in a bridge": (
        network("type: bridge").replace(", cidr: 10.1.0.0/16", "")
        + "    - {name: m, interface: br0, type: bridge, members: [eth0]}\n",
        "E1173",
        4,
        "network.networks[1].members",
        ["another type than bridge", "no bridge takes a bridge"],
    ),
    "interface with a long name": (
        network("address: 10.1.0.5/16").replace("eth0", "sixteen.letters1"),
        "E1140",
        3,
        "network.networks[0].interface",
        ["at most 15 characters", "sixteen.letters1"],
    ),
    "member with a long name": (
        network("address: 10.1.0.5/16, type: bridge, members: [sixteen.letters1]"),
        "E1173",
        3,
        "network.networks[0].members",
        ["at most 15 letters"],
    ),
    "size_gb -1": (volume("size_gb: -1"), "E1133", 3, "storage.volumes[0].size_gb", ["above 0", "-1"]),
    "size_gb 0": (volume("size_gb: 0"), "E1133", 3, "storage.volumes[0].size_gb", ["above 0"]),
    "volume path /": (volume("path: /"), "E1135", 3, "storage.volumes[0].path", ["system", '"/"']),
    "volume path /etc": (volume("path: /etc"), "E1135", 3, "storage.volumes[0].path", ["system", '"/etc"']),
    "volume path below /etc": (volume("path: /etc/app"), "E1135", 3, "storage.volumes[0].path", ["/srv/app"]),
    "volume path /var/lib/": (volume("path: /var/lib/"), "E1135", 3, "storage.volumes[0].path", ["/var/lib/app"]),
    "volume path //etc": (volume("path: //etc"), "E1135", 3, "storage.volumes[0].path", ["system"]),
    "volume path of the platform": (
        volume("path: /var/lib/windflow/x"),
        "E1135",
        3,
        "storage.volumes[0].path",
        ["system"],
    ),
    "volume path relative": (volume("path: data"), "E1134", 3, "storage.volumes[0].path", ["absolute", '"data"']),
    "volume path with ..": (volume("path: /srv/../etc"), "E1134", 3, "storage.volumes[0].path", ["without .."]),
    "volume path not normalised": (volume("path: /srv//a/"), "E1134", 3, "storage.volumes[0].path", ['"/srv/a"']),
    "volume path with a newline": (volume('path: "/srv/a\\nb"'), "E1139", 3, "storage.volumes[0].path", ["one line"]),
    "volume name": (volume("name: -x"), "E1140", 3, "storage.volumes[0].name", ['"-x"']),
    "duplicate volume name": (
        volumes("name: a, path: /srv/a", "name: a, path: /srv/b"),
        "E1136",
        4,
        "storage.volumes[1].name",
        ['"a"', "storage.volumes[0]"],
    ),
    "duplicate volume path": (
        volumes("name: a, path: /srv/a", "name: b, path: /srv/a"),
        "E1136",
        4,
        "storage.volumes[1].path",
        ['"/srv/a"', "storage.volumes[0]"],
    ),
    "NFS without server": (volume(NFS % "export: /x"), "E1137", 3, "storage.volumes[0].options.server", ["server"]),
    "NFS without export": (volume(NFS % "server: n"), "E1137", 3, "storage.volumes[0].options.export", ["export"]),
    "NFS server": (volume(NFS % "server: 'n;x', export: /x"), "E1140", 3, "storage.volumes[0].options.server", ["n;x"]),
    "NFS export": (volume(NFS % "server: n, export: x"), "E1134", 3, "storage.volumes[0].options.export", ["absolute"]),
    "NFS with vg": (volume(NFS % "server: n, export: /x, vg: v"), "E1160", 3, "storage.volumes[0].options.vg", ["nfs"]),
    "vg beside backing": (
        volume("size_gb: 1, options: {vg: v, backing: file}"),
        "E1160",
        3,
        "storage.volumes[0].options.vg",
        ["backing"],
    ),
    "devices without vg": (
        volume("options: {devices: [/dev/sdb]}"),
        "E1160",
        3,
        "storage.volumes[0].options.devices",
        ["without vg"],
    ),
    "server of a local volume": (
        volume("options: {server: n}"),
        "E1160",
        3,
        "storage.volumes[0].options.server",
        ["type local"],
    ),
    "vg without size": (volume("options: {vg: v}"), "E1161", 3, "storage.volumes[0].size_gb", ["add size_gb"]),
    "vg that begins with -": (
        volume("size_gb: 1, options: {vg: -x}"),
        "E1140",
        3,
        "storage.volumes[0].options.vg",
        ['"-x"'],
    ),
    "backing of another kind": (
        volume("size_gb: 1, options: {backing: disk}"),
        "E1140",
        3,
        "storage.volumes[0].options.backing",
        ["file"],
    ),
    "filesystem": (
        volume("size_gb: 1, options: {vg: v, filesystem: ntfs}"),
        "E1140",
        3,
        "storage.volumes[0].options.filesystem",
        ["ext4, xfs"],
    ),
    "device elsewhere": (
        volume("size_gb: 1, options: {vg: v, devices: [/dev/../etc/passwd]}"),
        "E1140",
        3,
        "storage.volumes[0].options.devices[0]",
        ["below /dev"],
    ),
    "mode as a number": (volume("options: {mode: 750}"), "E1140", 3, "storage.volumes[0].options.mode", ["quotes"]),
    "mode with other digits": (
        volume('options: {mode: "0888"}'),
        "E1140",
        3,
        "storage.volumes[0].options.mode",
        ["octal"],
    ),
    "owner": (volume("options: {owner: a b}"), "E1140", 3, "storage.volumes[0].options.owner", ['"a b"']),
    "mount options": (
        volume(NFS % "server: n, export: /x, options: 'soft, ro'"),
        "E1140",
        3,
        "storage.volumes[0].options.options",
        ["blanks"],
    ),
    "install_dir relative": ("app: {install_dir: opt/app}\n", "E1134", 1, "app.install_dir", ["absolute"]),
    "install_dir /opt": ("app: {install_dir: /opt}\n", "E1135", 1, "app.install_dir", ["system", "/opt/app"]),
    "install_dir with a space": ("app: {install_dir: /opt/my app}\n", "E1134", 1, "app.install_dir", ["spaces"]),
    "install_dir too long": ("app: {install_dir: /opt/%s}\n" % ("a" * 80), "E1134", 1, "app.install_dir", ["64"]),
    "data_dir with ..": ("app: {data_dir: /srv/a/../../etc}\n", "E1134", 1, "app.data_dir", ["without .."]),
    "log_dir /usr/bin": ("app: {log_dir: /usr/bin}\n", "E1135", 1, "app.log_dir", ["system"]),
    "user with a newline": ('app: {user: "a\\nb"}\n', "E1139", 1, "app.user", ["one line", "\\n"]),
    "user with a space": ("app: {user: a b}\n", "E1140", 1, "app.user", ["lower-case"]),
    "user begins with -": ("app: {user: -a}\n", "E1140", 1, "app.user", ['"-a"']),
    "user root": ("app: {user: root}\n", "E1140", 1, "app.user", ["without privileges"]),
    "group upper-case": ("app: {group: App}\n", "E1140", 1, "app.group", ['"App"']),
    "allowed_hosts with a newline": (
        'app:\n  allowed_hosts:\n    - ok.example.com\n    - "a;\\n}"\n',
        "E1139",
        4,
        "app.allowed_hosts[1]",
        ["one line"],
    ),
    "allowed_hosts with a semicolon": ("app: {allowed_hosts: [a;b]}\n", "E1140", 1, "app.allowed_hosts[0]", ["a;b"]),
    "database host with a newline": ('database: {host: "a\\nb"}\n', "E1139", 1, "database.host", ["one line"]),
    "database host with a space": ("database: {host: a b}\n", "E1140", 1, "database.host", ["a b"]),
    "database name with a newline": ('database: {name: "a\\nb"}\n', "E1139", 1, "database.name", ["one line"]),
    "database user begins with -": ("database: {user: -a}\n", "E1140", 1, "database.user", ['"-a"']),
    "database name over 63 bytes": ("database: {name: %s}\n" % ("ä" * 32), "E1140", 1, "database.name", ["63 bytes"]),
    "database port": ("database: {port: 5432.5}\n", "E1141", 1, "database.port", ["5432.5"]),
    "sender with a newline": ('email: {sender: "a@b\\nBcc: c@d"}\n', "E1139", 1, "email.sender", ["one line"]),
    "NUL anywhere": ('other: {deep: ["a\\0b"]}\n', "E1139", 1, "other.deep[0]", ["NUL"]),
    "NUL in a secret": ('database: {password: "CANARY\\0"}\n', "E1139", 1, "database.password", ["NUL"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_value_is_named_with_what_was_expected_and_what_to_do(case, check, tmp_path):
    text, code, line, path, words = WRONG[case]
    errors, _warnings = check(text)
    assert [(problem.code, problem.line) for problem in errors] == [(code, line)], errors
    problem = errors[0]
    assert problem.file == str(tmp_path / "my.yaml")
    assert problem.path == path or not path, problem.path
    assert problem.expected and problem.got and problem.remedy
    for word in words:
        assert word in str(problem)
    assert "CANARY" not in str(problem)


def test_all_findings_come_at_once(check):
    text = volumes("name: -x, path: /, size_gb: -1", "name: -x, path: data, type: nfs") + "server: {host_port: 0}\n"
    errors, _warnings = check(text)
    assert sorted(problem.code for problem in errors) == [
        "E1133",
        "E1134",
        "E1135",
        "E1136",
        "E1137",
        "E1137",
        "E1140",
        "E1140",
        "E1141",
    ]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("app: {secret_key: your-secret-key-here}\n", "app.secret_key"),
        ("app: {secret_key: your-secret-key}\n", "app.secret_key"),
        ("app: {secret_key: CHANGEME}\n", "app.secret_key"),
        ("app: {secret_key: ''}\n", "app.secret_key"),
        ("database: {password: dbpassword}\n", "database.password"),
        ("database: {user: postgres, password: postgres}\n", "database.password"),
        ("database: {user: shop, password: shop}\n", "database.password"),
        ("email: {password: change-me-please}\n", "email.password"),
    ],
)
def test_a_placeholder_for_a_secret_is_an_error_in_production_and_a_warning_elsewhere(text, path, check):
    errors, warnings = check(text, "production")
    assert [(problem.code, problem.path) for problem in errors] == [("E1138", path)]
    assert warnings == []
    for word in ("your-secret", "CHANGEME", "dbpassword", "change-me"):
        assert word not in str(errors[0])
    for environment in (None, "development", "staging"):
        errors, warnings = check(text, environment)
        assert errors == []
        assert [(problem.code, problem.path) for problem in warnings] == [("E1138", path)]


def test_the_remedy_for_a_placeholder_names_the_variable(check):
    errors, _warnings = check("app: {secret_key: changeme}\n", "production")
    assert "SECRET_KEY" in errors[0].remedy


@pytest.mark.parametrize(
    "text",
    [
        'app: {secret_key: "line\\nline \'; $ %%"}\n',
        "app: {allowed_hosts: ['*', '*.example.com', .example.org, '::1', '[::1]', a_b]}\n",
        "database: {password: \"x\\ty\\n'\\\"\", host: /var/run/postgresql, user: 'my user', name: Ünï}\n",
        "database: {host: '2001:db8::1'}\n",
        "email: {password: ''}\n",
        "app: {user: _app-1, group: app, install_dir: /opt/app, data_dir: /srv/app_1.2, log_dir: /tmp/x/log}\n",
        'features: {banner: "two\\nlines"}\n',
        "storage: {volumes: [{name: data, path: /mnt/data, size_gb: 0.5}, {name: d2, path: /mnt/data/inner}]}\n",
        "network: {networks: [{name: a, cidr: '2001:db8::/32', interface: eth0.100}]}\n",
        "host: {connection: {host: 192.0.2.1, port: 2222, user: admin, password: x}, os: {family: arch}}\n",
    ],
)
def test_what_is_in_order_is_left_alone(text, check):
    assert check(text, "production") == ([], [])


@pytest.mark.parametrize("section", ["host", "app", "database", "server", "storage", "network", "email"])
@pytest.mark.parametrize(
    "value", ["x", "[]", "[1, null, [a]]", "3", "{volumes: x, networks: 3, connection: [], os: a}"]
)
def test_sections_of_another_shape_are_no_crash(section, value, check):
    assert check("%s: %s\n" % (section, value), "production")[0] == []


def test_data_inside_the_install_directory_is_warned_about(check):
    errors, warnings = check("app: {install_dir: /opt/app, data_dir: /opt/app/data, log_dir: /opt/application}\n")
    assert errors == []
    assert [(problem.code, problem.path) for problem in warnings] == [("E1142", "app.data_dir")]
