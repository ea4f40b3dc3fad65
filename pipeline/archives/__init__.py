"""Archives as folders: tar, compressed tar and zip, each member a file with a URI of its own.

names.py         which names say that a file is an archive
members.py       what a scan gives: members, what was passed over, where an archive is at fault
tar_files.py     an archive's bytes as the file that `tarfile` reads headers from
tar.py           the members of a tar, one header after another
scan.py          any archive -> its members, from its directory, its headers, or its decompressed stream
index.py, kept.py  members kept: shared in a process while they are being found, and on disk once they are
streams.py       a member's bytes as a ReadStream
passing.py       members of a compressed tar that are opened one by one, in one scan
packet.py        members that are read together, with one request
store.py         ArchiveStore: a store in which archives are folders
listing.py       one level of an archive, as it becomes known
"""
