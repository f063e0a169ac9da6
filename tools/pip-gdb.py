"""pip-gdb.py - what gdb should know of the tasks of Process-in-Process.

    (gdb) source PREFIX/share/pip/pip-gdb.py
    (gdb) info pip                 roots and tasks of the address space
    (gdb) pip symbols [PIPID]      symbols of a task's program and libraries

gdb takes each process of the space for its root: it reads the root's program and the root's list
of libraries.  The tasks' own are found here by the space's registry and the lists that the tasks'
dynamic linkers keep.  Works on a live process and on a core file.
"""

import os
import re
import struct

import gdb

MAGIC = 0x3145434150534950
STATES = {1: "new", 2: "live", 3: "ended"}
PT_DYNAMIC = 2
DT_NULL, DT_DEBUG = 0, 21
LIST_MAX = 4096


def read(address, size):
    return bytes(gdb.selected_inferior().read_memory(address, size))


def unpack(address, layout):
    return struct.unpack(layout, read(address, struct.calcsize(layout)))


def string(address):
    """Up to a page's end at a time, since nothing may be mapped behind."""
    found = b""
    while b"\0" not in found and len(found) < 4096:
        found += read(address + len(found), 4096 - (address + len(found)) % 4096)
    return os.fsdecode(found.split(b"\0")[0])


def mappings():
    """Yields (address, file) for each mapping of a file."""
    try:
        with open("/proc/%d/maps" % gdb.selected_inferior().pid, encoding="utf-8",
                  errors="surrogateescape") as maps:
            for line in maps:
                field = line.rstrip("\n").split(None, 5)
                if len(field) == 6:
                    yield int(field[0].split("-")[0], 16), field[5]
            return
    except OSError:
        pass  # a core file
    for line in gdb.execute("info proc mappings", to_string=True).splitlines():
        match = re.match(r"\s*0x([0-9a-f]+)\s+0x[0-9a-f]+\s+0x[0-9a-f]+\s+0x[0-9a-f]+\s+"
                         r"(?:[-rwxsp]{4}\s+)?(/.*)", line)
        if match:
            yield int(match.group(1), 16), match.group(2)


class Task:
    """A record of the registry: src/task.h."""

    LAYOUT = "=IIIiiI"

    def __init__(self, address, slot):
        self.state, self.slot, self.root_slot, self.pipid, self.pid, _ = \
            unpack(address, self.LAYOUT)
        self.slot = slot
        self.path = string(address + 24) if self.state else ""
        self.base, = unpack(address + 24 + 4096, "=Q")

    def is_root(self):
        return self.root_slot == self.slot

    def name(self):
        return "root" if self.is_root() else str(self.pipid)


def tasks():
    """All roots and tasks."""
    for address, path in mappings():
        if "pip-space" not in path:
            continue
        magic, _, _, size, count, offset = unpack(address, "=QIIIIQ")
        if magic != MAGIC:
            continue
        found = []
        for slot in range(count):
            record = address + offset + slot * size
            if unpack(record, "=I")[0] in STATES:
                found.append(Task(record, slot))
        return found
    raise gdb.GdbError("This process has no tasks: it has no mapping called pip-space.")


def own_pid():
    """Of the process; gdb may have been attached to another thread than the first."""
    pid = gdb.selected_inferior().pid
    try:
        with open("/proc/%d/status" % pid, encoding="utf-8", errors="replace") as status:
            return int(re.search(r"^Tgid:\s*(\d+)", status.read(), re.M).group(1))
    except (OSError, AttributeError):
        return pid


def the_task(name):
    """The task of that pipid, or the one that gdb has before it."""
    found = tasks()
    if name:
        found = [t for t in found if t.name() == name and t.state == 2]
    else:
        thread = gdb.selected_thread()
        pids = {own_pid()} | (set(thread.ptid[:2]) if thread else set())
        found = [t for t in found if t.pid in pids and t.state == 2]
    if not found:
        raise gdb.GdbError("There is no task %s." % name if name else
                           "This process is no task; give a PIPID (see 'info pip').")
    return found[0]


def dynamic_section(base):
    """The address of a loaded file's dynamic section, None if it has none."""
    ident, phoff, phentsize, phnum = unpack(base, "=4s28xQ14xHH6x")
    if ident != b"\x7fELF":
        raise gdb.GdbError("There is no ELF header at 0x%x." % base)
    for i in range(phnum):
        kind, address = unpack(base + phoff + i * phentsize, "=I12xQ")
        if kind == PT_DYNAMIC:
            return base + address
    return None


def link_maps(base):
    """Yields (bias, name) for all that the task's dynamic linker has loaded."""
    at = dynamic_section(base)
    debug = 0
    while at:
        tag, value = unpack(at, "=qQ")
        if tag == DT_DEBUG:
            debug = value
        at = at + 16 if tag != DT_NULL else None
    if not debug:  # a static program, or one whose dynamic linker has not begun
        return
    at, = unpack(debug + 8, "=Q")
    for _ in range(LIST_MAX):
        if not at:
            return
        bias, name, _, at = unpack(at, "=QQQQ")
        yield bias, string(name)


class InfoPip(gdb.Command):
    """List the roots and tasks of this address space."""

    def __init__(self):
        super().__init__("info pip", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        own = own_pid()
        print("  %-5s %-8s %-5s %-14s %s" % ("PIPID", "PID", "State", "Loaded at", "Program"))
        for t in tasks():
            print("%s %-5s %-8d %-5s %-14s %s" %
                  ("*" if t.pid == own else " ", t.name(), t.pid, STATES[t.state],
                   "0x%x" % t.base if t.base else "-", t.path))


class Pip(gdb.Command):
    """Commands for tasks of Process-in-Process."""

    def __init__(self):
        super().__init__("pip", gdb.COMMAND_FILES, prefix=True)


class PipSymbols(gdb.Command):
    """Load the symbols of a task's program and libraries.
Usage: pip symbols [PIPID]
Without PIPID: of the task that is being debugged."""

    def __init__(self):
        super().__init__("pip symbols", gdb.COMMAND_FILES)

    def invoke(self, argument, from_tty):
        t = the_task(argument.strip())
        if t.is_root():
            print("The root's symbols are those that gdb knows.")
            return
        files = {t.base: t.path}
        try:
            for bias, name in link_maps(t.base):
                files.setdefault(bias, name)
        except gdb.MemoryError as e:
            print("The list of its libraries cannot be read: %s" % e)
        for bias, path in files.items():
            if not os.path.isfile(path):  # the vdso
                continue
            try:
                gdb.execute("add-symbol-file %s -o 0x%x" %
                            (path.replace("\\", "\\\\").replace(" ", "\\ "), bias),
                            to_string=True)
                print("0x%x %s" % (bias, path))
            except gdb.error as e:
                print("%s: %s" % (path, e))


InfoPip()
Pip()
PipSymbols()
