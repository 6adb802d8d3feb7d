"""The traits of several sides, made from one scene."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import numpy as np

from tests.browser.scene import Scene, frame_bytes, picture_bytes, score, state_of
from wcam_widget.show.frame import encode
from wcam_widget.show.traits import EACH_SIDE

THUMBNAIL = 8


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def side_scene(scene: Scene, side: int) -> Scene:
    """Another image with another map over the same cells."""
    values = np.roll(scene.values, 3 * side)
    return replace(scene, image=np.roll(scene.image, 4 * side, axis=1), values=values)


def state_of_sides(scene: Scene, names: list[str], **changes: Any) -> dict[str, Any]:
    """All traits of so many sides; two are shown side by side, of more the first."""
    state = state_of(scene)
    for side in range(1, len(names)):
        other, run = side_scene(scene, side), f"run-{side + 1}"
        own = state_of(other, _scores=score("all", "astronaut", 7.31))
        own["_picture"] = text(picture_bytes(other, run))
        own["_frame"] = text(frame_bytes(other, run=run))
        own["_status"] = {**own["_status"], "run": run}
        state.update({f"{name}_{side}": own[name] for name in EACH_SIDE})
    count = len(names)
    thumbnails = np.zeros((count, THUMBNAIL, THUMBNAIL, 3), np.uint8)
    thumbnails[..., 0] = np.linspace(0, 255, count).astype(np.uint8)[:, None, None]
    header = {"kind": "thumbnails", "version": 1, "count": count, "side": THUMBNAIL}
    points = None if count < 3 else [[side - 1.5, (-1.0) ** side] for side in range(count)]
    state["_sides"] = {"compared": "image", "names": names, "points": points, "words": "Near is alike."}
    state["_thumbnails"] = text(encode(header, {"images": thumbnails}))
    state["shown"] = [0, 1] if count == 2 else [0]
    return {**state, **changes}
