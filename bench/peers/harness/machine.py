"""Where the figures come from: machine, kernel, versions."""

import datetime
import os
import pathlib
import platform
import shutil
import subprocess
import sys

from .process import Refused, program

FLOOR_SOURCES = pathlib.Path(__file__).resolve().parents[1] / "floor"
FLOOR_PROGRAMS = ("relay", "backend", "udp_echo")


def floor_folder(folder, fallback):
    """Where the floor programs are: `folder` when it has them all, else `fallback`."""
    return folder if all((folder / f"floor_{name}").exists() for name in FLOOR_PROGRAMS) else fallback


def find_floor(folder, fallback):
    """floor_folder, after the programs were compiled there if need be."""
    if floor_folder(folder, fallback) == folder:
        return folder
    fallback.mkdir(parents=True, exist_ok=True)
    compiler = program("g++")
    for name in FLOOR_PROGRAMS:
        source, target = FLOOR_SOURCES / f"{name}.cc", fallback / f"floor_{name}"
        newest = max(path.stat().st_mtime for path in (source, *FLOOR_SOURCES.glob("*.h")))
        if target.exists() and target.stat().st_mtime >= newest:
            continue
        if not compiler:
            raise Refused("the floor programs are not built and g++ is not installed: configure with -DWEIR_BENCH=ON")
        built = subprocess.run([compiler, "-std=c++23", "-O2", "-o", str(target), str(source)], capture_output=True,
                               text=True, check=False)
        if built.returncode:
            raise Refused(f"compiling {source}: {built.stderr}")
    return fallback


def read_line(path):
    try:
        return pathlib.Path(path).read_text().strip()
    except OSError:
        return "?"


def machine_facts():
    processors, memory = read_line("/proc/cpuinfo").splitlines(), read_line("/proc/meminfo").splitlines()
    models = {line.partition(":")[2].strip() for line in processors if line.startswith("model name")}
    kibibytes = next((int(line.split()[1]) for line in memory if line.startswith("MemTotal")), 0)
    return {"when": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "cpu": f"{os.cpu_count()} x {', '.join(sorted(models))}", "memory_gib": round(kibibytes / 2**20),
            "kernel": platform.release(), "congestion": read_line("/proc/sys/net/ipv4/tcp_congestion_control"),
            "system": platform.freedesktop_os_release().get("PRETTY_NAME", "?"), "python": sys.version.split()[0]}


def require_taskset():
    if not shutil.which("taskset"):
        raise Refused("taskset (package util-linux) is not installed")
