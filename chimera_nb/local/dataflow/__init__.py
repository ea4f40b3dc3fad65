"""The local Dataflow: the API that Beam's DataflowRunner and google-cloud-dataflow-client call, on this machine.

It takes the job that the unmodified runner submits and executes the staged pipeline with Beam's portable
runner, in worker processes of their own. A worker sees the packages installed beside the stack, but of this
project and of its source plugins only what was staged for it: a module that is missing there is missing here.

It does not imitate:
- IAM and quotas: the stack's owner may do everything, everybody else nothing; there are no limits to hit.
- Autoscaling and machine types: a worker has one core (on Linux; elsewhere they share them). A job has the larger
  of --num_workers and --max_num_workers from its start, up to 4 if it names none, never more than there are cores.
- Containers: no image is pulled; --sdk_container_image and its like are taken and ignored.
- Bundle retries: an exception in a worker fails the job at the first attempt, and so does a worker that dies.
- Regions and networks: a region is a label.
- Streaming, draining, updating a running job, templates and snapshots: each is refused with a message.
- Stages and execution details: the metrics are the pipeline's own counters and distributions.
- The worker's dependencies: they are those of the stack's environment, and nothing is fetched from an index.

A job's logs are in <data_dir>/dataflow/<job id>/; its errors are in its messages, as on Google Cloud.
"""
