"""The explorer in a reactive notebook: what is selected in it goes on to other cells.

In a shell: `pip install wcam_widget marimo`, then `marimo edit notebooks/marimo_app.py`.
"""

import marimo

app = marimo.App(width="full")

with app.setup:
    import marimo as mo

    import wcam_widget as wcam

    model, images, labels, class_names = wcam.load_demo()


@app.cell
def _():
    names = {f"{number}: {class_names[label]}": number for number, label in enumerate(labels[:8])}
    image = mo.ui.dropdown(names, value=next(iter(names)), label="image")
    image
    return (image,)


@app.cell
def _(image):
    explorer = wcam.explore(model, images[image.value])
    shown = mo.ui.anywidget(explorer)  # marimo hears of the widget's traits through this
    shown
    return explorer, shown


@app.cell
def _(explorer, shown):
    shown.value["selection"], shown.value["mode"]  # so that this cell follows them
    scores = [
        {"class": name, "image": f"{before:.3f}", "what is kept": f"{after:.3f}"}
        for name, (before, after) in explorer.scores.items()
    ]
    mo.ui.table(scores, selection=None)


if __name__ == "__main__":
    app.run()
