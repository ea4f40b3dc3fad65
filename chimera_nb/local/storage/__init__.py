"""The storage stand-in: the JSON API of Cloud Storage over files in one folder.

server.py         the service, behind one port
proxy.py          where clients come in, batches are taken apart (batch.py) and faults are made (faults.py)
objects_api.py    objects as clients see them: by their names (names.py), under conditions (preconditions.py)
object_server.py  the JSON API over object_files.py (uploads.py, multipart.py, serving.py)
billing.py        buckets whose owner has requesters pay
routes.py, replies.py  requests and answers
"""
