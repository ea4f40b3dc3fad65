// The words of all widgets: what is said to everybody, and under the pointer what those in the field call it. What is in
// NOT_SAID stands in no text of a widget; tests/unit/test_words.py looks through all of them.

/** @type {Record<string, [says: string, means: string]>} */
export const TERMS = {
  raw: ["Unpacked", "The files' content once it is decompressed: raw bytes"],
  read: ["Read", "Of the files as they are stored, compressed"],
  codec: ["Packed as", "How the file is compressed: its codec"],
  prefix: ["Folder", "Where in the bucket the output goes: the prefix of its objects"],
  workerHours: ["Machine hours", "The hours of all machines together: worker-hours"],
  cost: ["Cost", "What the machines cost, at the prices that whoever runs this page has set"],
  throughput: ["Speed", "Unpacked content in a second: throughput"],
  shards: ["Output files", "The output is cut into files of about one size: shards"],
  decompress: ["Unpack", "The stage ReadAndDecompress"],
};

/** What no text says, as regular expressions. */
export const NOT_SAID = [
  "\\b[Pp]refix(es)?\\b", "\\b[Cc]odecs?\\b", "\\b[Rr]aw\\b", "\\b[Ww]orker-hours\\b", "\\b[Ss]hards?\\b", "\\bglob\\b", "\\b[Ll]edger\\b",
  "as found fastest", "Begin with a job of before", "All is well", "Python literal", "\\bchimera (up|jobs|dash|submit|put)\\b", "\\bgcloud\\b", "\\bb'", "\\b[Kk]ernel\\b", "\\ball 1\\b", " in all rows\\b",
];
