"""A failure as a figure: both images, the signed difference, and the bands."""

from wcam_widget import Derivative, Wcam, corrupt, explain_failure, load_demo


def test_a_failure_is_drawn_with_both_images_and_what_changed():
    model, images, _, _ = load_demo()
    foggy = corrupt(images[:1], "fog", 5)[0]
    explained = explain_failure(model, images[0], foggy, Wcam(Derivative(rows=4)))
    figure = explained.plot()
    assert [axes.get_label() for axes in figure.axes[:4]] == ["clean", "corrupted", "difference", "bands"]
    assert "of the importance moved to other cells" in figure.get_suptitle()
