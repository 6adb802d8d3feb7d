import threading

import numpy as np
import pytest
import torch
import traitlets

from wcam_widget.model import BlackBox, ModelError
from wcam_widget.show.explorer.explore import explore
from wcam_widget.show.explorer.explorer import Explorer
from wcam_widget.show.frame import decode
from wcam_widget.show.pages import page as export

PATIENCE = 60


@pytest.fixture
def explorer(gate, image, method, without_front_end_code):
    with explore(gate, image, method=method, class_names=("red", "green", "blue")) as one:
        yield one
        gate.open.set()


def test_a_front_end_hears_of_the_whole_run(front_end, explorer):
    attribution = explorer.wait(PATIENCE)
    frames = [decode(frame).header for frame in front_end.updates("_frame")]
    states = [status["state"] for status in front_end.updates("_status")]
    assert frames[-1]["complete"]
    assert frames[-1]["evaluations"] == attribution.evaluations
    assert states[0] == "running"
    assert states[-1] == "done"
    assert set(front_end.updates("_known")[-1]) > {"all", "keep:0-3", "remove:0-3"}
    assert decode(explorer._picture).header["run"] == frames[-1]["run"]


def test_frame_and_status_arrive_together(front_end, explorer):
    explorer.wait(PATIENCE)
    with_frame = [message for message in front_end.said if "_frame" in message.get("state", {})]
    assert with_frame
    assert all("_status" in message["state"] for message in with_frame)


def test_wait_sends_the_final_state_from_the_thread_that_waits(front_end, explorer):
    """An executed notebook keeps only what is sent on behalf of the cell that runs."""
    explorer.wait(PATIENCE)
    front_end.said.clear()
    explorer.wait(PATIENCE)
    ((thread, message),) = zip(front_end.threads[-1:], front_end.said, strict=True)
    assert thread is threading.main_thread()
    sent = {"_frame", "_known", "_layers", "_retention", "_scores", "_status", "_target"}
    assert set(message["state"]) == sent


def test_a_front_end_selects_asks_and_is_answered(front_end, explorer):
    explorer.wait(PATIENCE)
    front_end.set(selection=[7, 5, 5], mode="remove")
    front_end.say(
        t="req", id="1", client="tab", method="score", params={"selection": [5, 7], "mode": "remove"}
    )
    front_end.wait_for(lambda: front_end.custom("res"))
    (answer,) = front_end.custom("res")
    assert explorer.selection == [5, 7]
    assert explorer.mode == "remove"
    assert answer == {"t": "res", "id": "1", "client": "tab"}
    scores = front_end.updates("_scores")[-1]
    assert scores["key"] == "remove:5-5,7-7"
    assert explorer.scores == {
        one["label"]: (one["original"], one["reconstruction"]) for one in scores["classes"]
    }


def test_messages_may_come_from_any_thread_while_a_run_goes_on(front_end, gate, explorer):
    def talk(client):
        for number in range(15):
            front_end.set(selection=[number])
            front_end.say(
                t="req",
                id=str(number),
                client=client,
                method="score",
                params={"selection": [number], "mode": "keep"},
            )

    clients = [f"tab {number}" for number in range(4)]
    threads = [threading.Thread(target=talk, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    explorer.wait(PATIENCE)
    front_end.wait_for(lambda: len(front_end.custom("res") + front_end.custom("err")) == 60)
    last = [answer for answer in front_end.custom("res") if answer["id"] == "14"]
    assert {answer["client"] for answer in last} == set(clients)
    assert {answer["code"] for answer in front_end.custom("err")} <= {"superseded"}
    assert explorer.selection == [14]
    assert not explorer._holding_sync


def test_stop_from_a_front_end_cancels_the_run(front_end, gate, image, method, without_front_end_code):
    gate.shuts_after = 1  # the look that an explorer takes when it is made
    with explore(gate, image, method=method) as explorer:
        front_end.say(t="req", id="1", client="tab", method="stop", params={})
        assert front_end.custom("res") == [{"t": "res", "id": "1", "client": "tab"}]
        gate.open.set()
        front_end.wait_for(lambda: front_end.updates("_status")[-1:] != [])
        front_end.wait_for(lambda: front_end.updates("_status")[-1]["state"] == "cancelled")
        assert explorer.attribution is None or not explorer.attribution.complete


def test_a_late_front_end_is_sent_the_frames_again(front_end, explorer):
    explorer.wait(PATIENCE)
    before = len(front_end.updates("_picture"))
    front_end.say(t="hello", client="tab", proto=1, have={"run": "", "rev": 0})
    assert front_end.custom("hello-ack")[0]["rev"] == explorer._status["rev"]
    assert len(front_end.updates("_picture")) == before + 1


def test_mask_reconstruction_and_scores_speak_of_the_selection(explorer, gate, image):
    cells = explorer.wait(PATIENCE).cells
    assert explorer.mask.all()
    torch.testing.assert_close(explorer.reconstruction, image, atol=1e-6, rtol=0)
    explorer.select_band("HL2")
    assert explorer.selection == cells.in_band("HL2").tolist()
    assert np.flatnonzero(explorer.mask).tolist() == explorer.selection
    explorer.mode = "remove"
    assert np.flatnonzero(~explorer.mask).tolist() == explorer.selection
    rebuilt = explorer.reconstruction
    assert rebuilt.dtype == torch.float32
    assert rebuilt.shape == image.shape
    expected = (4 * rebuilt.mean((1, 2))).softmax(0)
    before = (4 * image.mean((1, 2))).softmax(0)
    for index, name in enumerate(("red", "green", "blue")):
        assert explorer.scores[name] == pytest.approx(
            (float(before[index]), float(expected[index])), abs=1e-5
        )
    # A question that was not prepared asks the model.
    explorer.selection = [0, 9]
    asked = gate.images
    assert explorer.scores.keys() == {"red", "green", "blue"}
    assert gate.images == asked + 1
    assert explorer._scores["key"] == "remove:0-0,9-9"


def test_a_selection_may_be_set_in_any_form(explorer):
    cells = explorer.wait(PATIENCE).cells
    explorer.selection = cells.in_band("LH1")
    assert explorer.selection == cells.in_band("LH1").tolist()
    explorer.selection = np.arange(len(cells)) == 3
    assert explorer.selection == [3]
    explorer.selection = {2, 1}
    assert explorer.selection == [1, 2]
    explorer.selection = []
    assert explorer.mask.all()


def test_what_is_no_selection_is_refused_and_changes_nothing(explorer):
    explorer.selection = [1]
    with pytest.raises(traitlets.TraitError, match="there is no cell 28; accepted are cell ids, 0 to 27"):
        explorer.selection = [28]
    with pytest.raises(traitlets.TraitError, match=r"keep.*remove"):
        explorer.mode = "isolate"
    with pytest.raises(KeyError, match=r"HL9.*A2, LH2, HL2, HH2, LH1, HL1, HH1"):
        explorer.select_band("HL9")
    with pytest.raises(traitlets.TraitError, match="not be greater than 1"):
        explorer.opacity = 2.0
    assert (explorer.selection, explorer.mode, explorer.opacity) == ([1], "keep", 0.6)


def test_changes_can_be_observed(front_end, explorer):
    seen = []
    explorer.observe(lambda change: seen.append(change["new"]), "selection")
    explorer.selection = [4, 2]
    front_end.set(selection=[9])
    assert seen == [[2, 4], [9]]


def test_observers_may_ask_and_close_but_not_wait(front_end, gate, explorer):
    """They are called while messages and frames wait for them."""
    seen = []

    def look(change):
        seen.append(explorer.scores.keys())
        with pytest.raises(RuntimeError, match="wait was called by an observer"):
            explorer.wait()
        if change["new"] == [2]:
            explorer.close()

    explorer.observe(look, "selection")
    for cell in (1, 2):
        talking = threading.Thread(target=front_end.set, kwargs={"selection": [cell]})
        talking.start()
        talking.join(PATIENCE)
    assert seen == [{"red", "green", "blue"}] * 2
    assert repr(explorer) == "Explorer(closed)"


def test_an_error_in_the_run_reaches_the_reader_and_the_caller(
    front_end, gate, image, method, without_front_end_code, caplog
):
    gate.shuts_after = 1
    with explore(gate, image, method=method) as explorer:
        gate.error = ZeroDivisionError("on purpose")
        gate.open.set()
        with pytest.raises(ModelError, match="ZeroDivisionError: on purpose") as raised:
            explorer.wait(PATIENCE)
        assert raised.value.__cause__ is gate.error
        status = front_end.updates("_status")[-1]
        assert status["state"] == "error"
        assert status["message"] == "ModelError: net: raised ZeroDivisionError: on purpose"
    assert "the run ended with an error" in caplog.text


def test_after_close_the_map_is_there_and_the_rest_says_so(front_end, explorer, image):
    attribution = explorer.wait(PATIENCE)
    explorer.close()
    explorer.close()
    assert explorer.attribution is attribution
    assert repr(explorer) == "Explorer(closed)"
    assert front_end.custom("bye") == [{"t": "bye", "reason": "closed"}]
    for use in (
        explorer.wait,
        explorer.cancel,
        lambda: explorer.reconstruction,
        lambda: explorer.mask,
        lambda: explorer.scores,
        lambda: explorer.to_html("page.html"),
        lambda: explorer.select_band("HL1"),
    ):
        with pytest.raises(RuntimeError, match="the explorer is closed"):
            use()


def test_without_a_built_front_end_the_error_says_how_to_build_it(gate, image, method, monkeypatch, tmp_path):
    monkeypatch.setattr(export, "files", lambda package: tmp_path)
    with pytest.raises(FileNotFoundError, match=r"static/widget\.js is missing.*npm ci && npm run build"):
        explore(gate, image, method=method)


def test_models_may_be_given_in_any_form(image):
    box = BlackBox(lambda images: images.mean((2, 3)), class_names=("r", "g", "b"))
    assert BlackBox.ensure(box) is box
    renamed = BlackBox.ensure(box, class_names=("a", "b", "c"))
    assert (renamed.class_names, box.class_names) == (("a", "b", "c"), ("r", "g", "b"))
    assert renamed.net is box.net
    assert BlackBox.ensure(torch.nn.Flatten()).differentiable


def test_the_text_of_an_explorer_is_short(explorer):
    explorer.wait(PATIENCE)
    planned, sentence = explorer.attribution.planned, explorer._status["answer"]
    assert repr(explorer) == f"Explorer(done, {planned} of {planned} passes. {sentence})"
    assert sentence.startswith("green (.36): ")


def test_the_code_is_no_default_so_that_every_way_of_saving_keeps_it(explorer):
    kept = Explorer.get_manager_state(drop_defaults=True, widgets=[explorer])["state"][explorer.model_id]
    assert kept["state"]["_esm"] == "/* widget.js */"
    assert kept["state"]["_css"] == "/* widget.css */"
