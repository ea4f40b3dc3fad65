"""The dashboard's server: Voilà's renderer and front end, behind routes and rules of our own.

options.py        what is asked for, and the rule of when a visitor needs a token
configuration.py  the one safe configuration, as traitlets and tornado read it
listening.py      the sockets it listens on
resources.py      where the notebook and its theme are
identity.py       who a visitor is, and whose kernel is whose
kernels.py        kernels: their start, their end, how many
provisioner.py    how jupyter_client comes by one: forked, or started as any other
forking.py        the server's end of the fork server, a process that fork_server.py is
kernel.py         what one runs: its log goes to the server's
pages.py          pages rendered ahead of the visitor, each with its kernel
sockets.py        what a front end may say to its kernel
handlers.py       the routes; there are no others
assets.py         the files that a page needs; kept_files.py hands them out, bundle.py has those of every page in one
server.py         put together, serve, stop; importing.py imports it without what it can do without
"""
