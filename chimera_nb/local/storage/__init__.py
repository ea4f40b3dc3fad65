"""The storage stand-in: the JSON API of Cloud Storage over files in one folder.

server.py         the service, behind one port
proxy.py          where clients come in, batches are taken apart (batch.py) and faults are made (faults.py)
objects_api.py    objects as clients see them: by their names (names.py), under preconditions.py and uploads.py
object_server.py  the JSON API over object_files.py: bucket_server.py, upload_server.py (multipart.py), call.py,
                  documents.py, serving.py
object_files.py   buckets as folders, objects as files (known.py, incoming.py)
billing.py        buckets whose owner has requesters pay
routes.py, replies.py  requests and answers
"""
