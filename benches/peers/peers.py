"""Runs a Python writer in its own process, for the bench in this directory: `python peers.py NAME DATA`.

`src/child.rs` describes the protocol. With the name `versions`, it prints the versions of the installed writers.
"""

import importlib.metadata
import os
import platform
import sys
import time

PACKAGES = ("torch", "tensorboard", "tensorboardX")


class Torch:
    """`torch.utils.tensorboard`. tensorboardX has the same methods."""

    def __init__(self, directory):
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(directory)
        self.scalar = self.writer.add_scalar
        self.histogram = self.writer.add_histogram
        self.close = self.writer.close

    def image(self, tag, pixels, step):
        self.writer.add_image(tag, pixels, step, dataformats="HWC" if pixels.ndim == 3 else "HW")


class TensorboardX(Torch):
    def __init__(self, directory):
        from tensorboardX import SummaryWriter

        self.writer = SummaryWriter(directory)
        self.scalar = self.writer.add_scalar
        self.histogram = self.writer.add_histogram
        self.close = self.writer.close


class Tensorboard:
    """The writer of the package `tensorboard`. It writes scalars only; functions make other summaries."""

    def __init__(self, directory):
        from tensorboard.summary import Writer

        self.writer = Writer(directory)
        self.scalar = self.writer.add_scalar
        self.close = self.writer.close

    def histogram(self, tag, values, step):
        from tensorboard.summary.v1 import histogram_pb

        histogram_pb(tag, values)
        raise Refused("no: makes a summary but has no method to write it")

    def image(self, tag, pixels, step):
        from tensorboard.summary.v1 import image_pb

        image_pb(tag, pixels.reshape(1, *pixels.shape[:2], -1))
        raise Refused("no: makes a summary but has no method to write it")


class Refused(Exception):
    """Says why a writer cannot do some work."""


def whole(writer, work, count, data):
    kind, size = work.split("-")
    if kind == "scalar":
        tags = ["loss"] if size == "1" else [f"t{i:03}" for i in range(int(size))]
        tag_count, log = len(tags), writer.scalar

        def calls():
            for step in range(1, count + 1):
                log(tags[step % tag_count], float(step % 1000), step)
    else:
        import numpy

        if kind == "histogram":
            tag, log = "weights", writer.histogram
            array = numpy.fromfile(f"{data}/{work}", "<f4")
        else:
            tag, log = "input", writer.image
            width, height, channels = map(int, size.split("x"))
            shape = (height, width) if channels == 1 else (height, width, channels)
            array = numpy.fromfile(f"{data}/{work}", "u1").reshape(shape)

        def calls():
            for step in range(1, count + 1):
                log(tag, array, step)

    wall, cpu = time.perf_counter_ns(), time.process_time_ns()
    calls()
    writer.close()
    return time.perf_counter_ns() - wall, time.process_time_ns() - cpu


def latency(writer, work, count, data):
    times, clock, log = [0] * count, time.perf_counter_ns, writer.scalar
    for step in range(1, count + 1):
        start = clock()
        log("loss", float(step % 1000), step)
        times[step - 1] = clock() - start
    writer.close()
    times.sort()
    last = count - 1
    return times[last // 2], times[last - last // 1000], times[last]


def answer(writer_type, data, line):
    how, work, count, directory = line.rstrip("\n").split("\t")
    measure = {"whole": whole, "latency": latency}[how]
    try:
        return "ok", *measure(writer_type(directory), work, int(count), data)
    except Refused as refused:
        return "no", str(refused)
    except ModuleNotFoundError as error:
        return "no", f"no: needs {error.name}"
    except Exception as error:  # The table shows it.
        return "no", f"{type(error).__name__}: {error}".replace("\n", " ").replace("\t", " ")


def main():
    name, data = sys.argv[1:]
    if name == "versions":
        print("python", platform.python_version(), sep="\t")
        for package in PACKAGES:
            try:
                print(package, importlib.metadata.version(package), sep="\t")
            except importlib.metadata.PackageNotFoundError:
                pass
        return
    writer_type = {"torch": Torch, "tensorboard": Tensorboard, "tensorboardX": TensorboardX}[name]
    # Keeps output of libraries apart from the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        print(*answer(writer_type, data, line), sep="\t", file=answers, flush=True)


if __name__ == "__main__":
    main()
