"""BucketBrowser: browse buckets and folders, and select what a job reads."""
