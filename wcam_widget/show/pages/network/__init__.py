"""The explained network in a saved page: operators and weights that the page runs itself."""

from wcam_widget.show.pages.network.embedding import PageNetwork, page_network

__all__ = ["PageNetwork", "page_network"]
