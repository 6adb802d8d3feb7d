import pytest
import torch

from wcam_widget.basis import Cells, WaveletBasis
from wcam_widget.explain import Wcam
from wcam_widget.model import BlackBox, Margin
from wcam_widget.show.explorer.questions import Inquiry
from wcam_widget.show.selection import Question

CELLS = Cells.regular(WaveletBasis((16, 16), levels=2), 2)  # 28 cells in 7 bands


def linear(images):
    """Three classes with scores that any selection changes."""
    means = images.mean((2, 3))
    return torch.stack([means[:, 0] * 3, means[:, 1] * 2, images[:, :, 0].mean((1, 2))], 1)


@pytest.fixture
def inquiry(image):
    return Inquiry(Wcam(levels=2, grid=2).probe(BlackBox(linear, class_names=("a", "b", "a")), image, 1))


def test_answers_are_what_the_model_says_about_the_rebuilt_image(inquiry, image):
    question = Question(tuple(CELLS.in_band("HL2").tolist()), "remove")
    (answer,) = inquiry.answer([question])
    rebuilt = inquiry.rebuild(question)
    before, after = linear(image[None])[0], linear(rebuilt[None])[0]
    assert answer["key"] == question.key
    assert answer["target"]["label"] == "logit of b"
    assert answer["target"]["original"] == pytest.approx(float(before[1]), abs=1e-5)
    assert answer["target"]["reconstruction"] == pytest.approx(float(after[1]), abs=1e-5)
    said = {one["label"]: (one["original"], one["reconstruction"]) for one in answer["classes"]}
    expected = zip(before.softmax(0).tolist(), after.softmax(0).tolist(), strict=True)
    for label, pair in zip(("a (0)", "b", "a (2)"), expected, strict=True):
        assert said[label] == pytest.approx(pair, abs=1e-5)
    assert [one["original"] for one in answer["classes"]] == sorted(
        (one["original"] for one in answer["classes"]), reverse=True
    )


def test_everything_kept_is_the_image_itself(inquiry, image):
    (answer,) = inquiry.answer([Question((), "remove")])
    torch.testing.assert_close(inquiry.rebuild(Question((), "keep")), image, atol=1e-6, rtol=0)
    assert answer["target"]["original"] == answer["target"]["reconstruction"]
    assert all(one["original"] == one["reconstruction"] for one in answer["classes"])


def test_several_questions_at_once_get_the_answers_they_get_alone(inquiry):
    questions = inquiry.bands()
    for together, question in zip(inquiry.answer(questions), questions, strict=True):
        (alone,) = inquiry.answer([question])
        assert together["key"] == alone["key"]
        assert together["target"]["reconstruction"] == pytest.approx(
            alone["target"]["reconstruction"], abs=1e-5
        )


def test_a_page_without_a_kernel_knows_every_band_both_ways(inquiry):
    keys = [question.key for question in inquiry.bands()]
    assert keys[:3] == ["all", "keep:0-3", "remove:0-3"]
    assert len(set(keys)) == len(keys) == 1 + 2 * 7


def test_at_most_five_classes_are_told_the_highest_of_either_image(image):
    weights = torch.linspace(-3, 3, 12)
    model = BlackBox(lambda images: images.mean((1, 2, 3))[:, None] * 9 * weights)
    inquiry = Inquiry(Wcam(levels=2, grid=2, baseline="black").probe(model, image))
    (answer,) = inquiry.answer([Question((0,), "keep")])
    assert [one["label"] for one in answer["classes"]] == [f"class {index}" for index in (11, 10, 9, 8, 7)]


def test_a_single_score_under_a_sigmoid_is_a_probability_of_one_class(image):
    model = BlackBox(lambda x: x.mean((1, 2, 3))[:, None], activation="sigmoid")
    inquiry = Inquiry(Wcam(levels=2, grid=2).probe(model, image))
    (answer,) = inquiry.answer([Question((), "keep")])
    (only,) = answer["classes"]
    assert only["original"] == pytest.approx(float(torch.sigmoid(image.mean())), abs=1e-6)


def test_the_target_keeps_its_own_unit(image):
    inquiry = Inquiry(Wcam(levels=2, grid=2).probe(BlackBox(linear), image, Margin(0, 1)))
    (answer,) = inquiry.answer([Question((), "keep")])
    scores = linear(image[None])[0]
    assert answer["target"]["label"] == "margin of class 0 over class 1"
    assert answer["target"]["original"] == pytest.approx(float(scores[0] - scores[1]), abs=1e-5)


def test_the_first_class_of_a_dull_reconstruction_is_among_those_shown():
    def scores(images):
        bright = images.mean((1, 2, 3))[:, None]
        return torch.cat([bright * torch.linspace(4, 3.5, 6), torch.full((len(images), 30), 0.2)], dim=1)

    probe = Wcam(levels=1, grid=1, baseline="black").probe(BlackBox(scores), torch.ones(3, 8, 8))
    (answer,) = Inquiry(probe).answer([Question((1,), "keep")])
    shown = max(answer["classes"], key=lambda one: one["reconstruction"])["label"]
    assert int(shown.split()[1]) >= 6
