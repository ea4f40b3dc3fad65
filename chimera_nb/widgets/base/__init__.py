"""What all widgets share.

widget.py      View: background work, requests of the front end, one error line
background.py  tasks on the kernel's event loop, and calls to a store in threads
service.py     the JobService of a kernel
assets.py      ES module and style sheet, joined from the files beside the widgets
"""
