"""What tests of studies share: a folder of pictures."""

import pytest

from tests.study.toys import write_pictures


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    write_pictures(folder, 6)
    return folder
