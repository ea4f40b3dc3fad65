"""What all widgets share.

widget.py      ChimeraWidget: background work, requests of the front end, one error line
background.py  tasks on the kernel's event loop, and calls to a store in threads
messages.py    what kernel and page say to each other: checked, encoded
assets.py      ES module and style sheet of a widget (linker.py)
"""
