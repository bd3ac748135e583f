"""Audio: TensorBoard serves every sample, and the page plays the clips."""

import io
import struct
import wave

import numpy as np
import pytest
from harness import START, TensorBoard, eventually


def floats(count: int) -> np.ndarray:
    return (np.arange(count) * 37 % 1000).astype(np.float32) / np.float32(400) - np.float32(1.25)


def pcm(samples: np.ndarray) -> np.ndarray:
    """The samples that TensorFlow stores for floats: multiplied by 2^15, rounded half away from 0, and clipped."""
    scaled = samples.astype(np.float64) * 32768
    return np.clip(np.copysign(np.floor(np.abs(scaled) + 0.5), scaled), -32768, 32767).astype(int)


def integers(count: int) -> np.ndarray:
    return (np.arange(count) * 7919).astype(np.uint16).astype(np.int16).astype(int)


EDGES = [0, 32767, -32768, 32767, -32768, 32767, -32768, 1, -1, 0]
# The rate, the channels and the samples of each tag with one clip.
CLIPS = {
    "stereo_f32": (44100, 2, pcm(floats(10_000))),
    "three_f32": (96000, 3, pcm(floats(9_999))),
    "mono_i16": (16001, 1, integers(3_333)),
    "stereo_i16": (48000, 2, integers(20_002)),
    "six_i16": (22050, 6, integers(6_006)),
    "edges": (3000, 1, np.array(EDGES)),
}
RATES = [8000, 11025, 12345]


def foreign_file() -> bytes:
    head = b"RIFF\xff\xff\xff\xffWAVEnote\3\0\0\0abc\0fmt \x10\0\0\0"
    return head + struct.pack("<HHIIHH4sI", 3, 1, 8000, 32000, 4, 32, b"data", 2**32 - 1) + floats(800).tobytes()


def served(board: TensorBoard, tag: str, sample: int = 0) -> list[tuple[float, int, bytes]]:
    """The wall time, the step and the file of each step."""
    clips = []
    for clip in board.get("plugin/audio/audio", run="audio", tag=f"sound/{tag}", sample=str(sample)):
        content_type, file = board.fetch(f"plugin/audio/individualAudio?{clip['query']}")
        assert content_type == clip["contentType"] == "audio/wav"
        clips.append((clip["wall_time"], clip["step"], file))
    return clips


def decoded(file: bytes) -> tuple[int, int, list[int]]:
    """The rate, the channels and the samples of a 16-bit file."""
    with wave.open(io.BytesIO(file)) as clip:
        assert clip.getsampwidth() == 2
        samples = np.frombuffer(clip.readframes(clip.getnframes()), "<i2")
        assert len(samples) == clip.getnframes() * clip.getnchannels()
        return clip.getframerate(), clip.getnchannels(), samples.tolist()


def test_all_clips_are_listed(board):
    listed = board.get("plugin/audio/tags")["audio"]
    assert set(listed) == {f"sound/{tag}" for tag in [*CLIPS, "mono_f32", "encoded", "several"]}
    described = {"displayName": "Sweep", "description": "<p>a <em>sweep</em></p>", "samples": 1}
    assert listed["sound/mono_f32"] == described
    assert listed["sound/several"] == {"displayName": "", "description": "", "samples": 3}


def test_samples_of_several_steps(board):
    clips = served(board, "mono_f32")
    assert [(wall_time, step) for wall_time, step, _ in clips] == [(START + step, step) for step in range(3)]
    for (_, step, file), rate in zip(clips, RATES, strict=True):
        wanted = pcm(floats(4000 + 1000 * step))
        # Checks the formula: both ends are clipped, and the samples between them differ.
        assert wanted.min() == -32768
        assert wanted.max() == 32767
        assert len(np.unique(wanted)) > 700
        assert decoded(file) == (rate, 1, wanted.tolist())


@pytest.mark.parametrize("tag", CLIPS)
def test_samples(board, tag):
    rate, channels, samples = CLIPS[tag]
    [(wall_time, step, file)] = served(board, tag)
    assert (wall_time, step) == (START, 0)
    assert decoded(file) == (rate, channels, samples.tolist())


def test_encoded_file_is_served_byte_for_byte(board):
    assert served(board, "encoded") == [(START, 0, foreign_file())]


def test_steps_with_fewer_clips_have_empty_clips(board):
    for n in (1, 2, 3):
        for step, (wall_time, at, file) in enumerate(served(board, "several", n - 1)):
            assert (wall_time, at) == (START + step, step)
            wanted = [] if step == 2 and n > 1 else [n * 10 + step] * (n * 400)
            rate, channels, samples = decoded(file)
            assert (channels, samples) == (1, wanted), (n, step)
            assert rate == (8000 if wanted else 44100)


@pytest.mark.usefixtures("picture")
def test_audio_page(board, chrome):
    chrome.get(f"{board.url}/#audio")

    def players() -> dict[str, list[object]]:
        """The duration in seconds or the error of each player, by tag and clip number."""
        return chrome.ask("""
            const loaders = deep(document, "tf-audio-loader").filter(loader => loader.run === "audio");
            const players = loaders.map(loader => {
              const player = deep(loader.shadowRoot, "audio")[0];
              const problem = player && player.error ? player.error.message : "waits";
              const is_ready = player && player.readyState >= HTMLMediaElement.HAVE_METADATA;
              return [`${loader.tag} ${loader.sample}`, is_ready ? player.duration : problem];
            });
            return Object.fromEntries(players);
        """)

    wanted = {f"sound/{tag} 0": len(samples) / channels / rate for tag, (rate, channels, samples) in CLIPS.items()}
    # The page shows the newest step.
    wanted |= {"sound/mono_f32 0": 6000 / 12345, "sound/several 0": 0.05}
    eventually(lambda: {clip: each for clip, each in players().items() if clip in wanted}, pytest.approx(wanted, abs=0.01))
    assert chrome.errors() == []
