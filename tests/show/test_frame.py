import base64
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from wcam_widget.show.frame import FrameError, decode, encode

FRAMES = Path(__file__).parent.parent / "reference" / "frames"
GOLDEN = sorted(path.stem for path in FRAMES.glob("*.wcf"))
HOSTILE = json.loads((FRAMES / "hostile.json").read_text())
NUMPY = {"f32": np.float32, "u8": np.uint8, "i32": np.int32}

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
headers = st.dictionaries(
    st.text(max_size=8).filter(lambda name: name != "sections"), json_values, max_size=4
)
sections = st.dictionaries(
    st.text(max_size=8),
    st.sampled_from([np.float32, np.uint8, np.int32]).flatmap(
        lambda dtype: arrays.arrays(
            dtype, arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
        )
    ),
    max_size=4,
)


def test_golden_files_are_there():
    assert GOLDEN == ["attribution", "bare", "layers", "picture", "plain"]


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_frame_has_the_recorded_contents_and_bytes(name):
    data = (FRAMES / f"{name}.wcf").read_bytes()
    recorded = json.loads((FRAMES / f"{name}.json").read_text())
    frame = decode(data)
    assert frame.header == recorded["header"]
    assert list(frame.sections) == list(recorded["sections"])
    for key, section in recorded["sections"].items():
        array = frame.sections[key]
        assert array.dtype == NUMPY[section["dtype"]]
        assert list(array.shape) == section["shape"]
        values = [np.nan if value is None else value for value in section["values"]]
        np.testing.assert_array_equal(array.ravel(), np.array(values, array.dtype))
    assert encode(frame.header, frame.sections) == data


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_are_refused(name):
    with pytest.raises(FrameError):
        decode(base64.b64decode(HOSTILE[name]))


@given(headers, sections)
def test_what_is_written_is_read(header, parts):
    data = encode(header, parts)
    frame = decode(bytearray(data))
    assert frame.header == header
    assert list(frame.sections) == list(parts)
    for name, array in parts.items():
        assert frame.sections[name].dtype == array.dtype
        np.testing.assert_array_equal(frame.sections[name], array)


@given(headers, sections)
def test_header_and_sections_stand_at_multiples_of_eight(header, parts):
    data = encode(header, parts)
    length = int.from_bytes(data[4:8], "little")
    table = json.loads(data[8 : 8 + length])["sections"]
    assert (8 + length) % 8 == 0
    assert all(entry["offset"] % 8 == 0 for entry in table)
    spans = [(8, 8 + length)] + [(entry["offset"], entry["offset"] + entry["nbytes"]) for entry in table]
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))


@given(st.data())
def test_a_truncated_frame_is_refused(data):
    whole = (FRAMES / f"{data.draw(st.sampled_from(GOLDEN))}.wcf").read_bytes()
    with pytest.raises(FrameError):
        decode(whole[: data.draw(st.integers(0, len(whole) - 1))])


@given(st.data())
def test_flipped_bytes_are_refused_or_read_whole(data):
    frame = bytearray((FRAMES / f"{data.draw(st.sampled_from(GOLDEN))}.wcf").read_bytes())
    for place, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(frame) - 1), st.integers(0, 255)), max_size=9)
    ):
        frame[place] = value
    try:
        decoded = decode(frame)
    except FrameError:
        return
    assert all(array.nbytes <= len(frame) for array in decoded.sections.values())


@given(json_values)
def test_any_json_as_header_is_refused_or_read(value):
    text = json.dumps({"sections": [value], "x": value} if value is not None else value).encode()
    text = text.ljust(-(-len(text) // 8) * 8)
    with pytest.raises(FrameError):
        decode(b"WCF1" + len(text).to_bytes(4, "little") + text)


SECTION = {"name": "a", "dtype": "u8", "shape": [8], "codec": "raw", "offset": 4096, "nbytes": 8}
ODD = [
    "9" * 4300,
    "-" + "9" * 4000,
    "1e999",
    "-1",
    "true",
    "null",
    "9007199254740993",
    "[[]]",
    '"\\ud800"',
    "{}",
]


@pytest.mark.parametrize("field", SECTION)
@pytest.mark.parametrize("text", [*ODD, *(f"[{odd}]" for odd in ODD), "[0, " + "9" * 4300 + "]"])
def test_no_value_of_a_section_raises_anything_else(field, text):
    entry = json.dumps(SECTION | {field: 0}).replace(f'"{field}": 0', f'"{field}": {text}')
    header = f'{{"sections": [{entry}]}}'.encode().ljust(12280)
    with pytest.raises(FrameError):
        decode(b"WCF1" + len(header).to_bytes(4, "little") + header)


@pytest.mark.parametrize("depth", [*range(20, 1000, 49), 10000, 30000])
def test_no_depth_raises_anything_else(depth):
    for field in SECTION:
        nested = "[" * depth + "]" * depth
        entry = json.dumps(SECTION | {field: 0}).replace(f'"{field}": 0', f'"{field}": {nested}')
        header = f'{{"sections": [{entry}]}}'.encode()
        header = header.ljust(-(-len(header) // 8) * 8)
        with pytest.raises(FrameError):
            decode(b"WCF1" + len(header).to_bytes(4, "little") + header)


def test_a_deeply_nested_header_is_refused():
    text = (b"[" * 60000).ljust(60000)
    with pytest.raises(FrameError, match="not JSON"):
        decode(b"WCF1" + len(text).to_bytes(4, "little") + text)


def test_arrays_of_a_frame_cannot_be_written():
    frame = decode(encode({}, {"a": np.zeros(3, np.float32)}))
    with pytest.raises(ValueError, match="read-only"):
        frame.sections["a"][0] = 1


def test_a_frame_outlives_the_buffer_it_was_read_from():
    data = bytearray(encode({}, {"a": np.ones(3, np.float32)}))
    frame = decode(data)
    data[:] = bytes(len(data))
    assert frame.sections["a"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_numbers_json_has_no_word_for_are_not_written(value):
    with pytest.raises(FrameError, match="header: Out of range float"):
        encode({"a": [value]}, {})


@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.float16, bool, complex])
def test_other_dtypes_are_not_written(dtype):
    with pytest.raises(FrameError, match=rf"section 'a': dtype .* found {np.dtype(dtype).name}"):
        encode({}, {"a": np.zeros(2, dtype)})


def test_big_endian_and_strided_arrays_are_written_in_order():
    array = np.arange(12, dtype=">f4").reshape(3, 4)[:, ::2]
    np.testing.assert_array_equal(decode(encode({}, {"a": array})).sections["a"], [[0, 2], [4, 6], [8, 10]])


def test_a_header_too_long_to_be_read_is_not_written():
    with pytest.raises(FrameError, match="at most 65536 bytes, found 6"):
        encode({"a": "x" * 65536}, {})
    assert decode(encode({"a": "x" * 65500}, {})).header["a"] == "x" * 65500


def test_a_label_that_is_no_unicode_is_written_as_it_is():
    assert decode(encode({"label": "a\udc80b"}, {})).header["label"] == "a\udc80b"


def test_the_table_of_sections_cannot_be_given():
    with pytest.raises(FrameError, match="'sections' is written by encode"):
        encode({"sections": []}, {})
