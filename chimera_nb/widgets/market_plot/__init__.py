"""A market drawn, as a picture or to be explored: `ch.plot_market`."""
