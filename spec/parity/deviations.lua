--- Lines of transcripts in which Perigee may differ from the real server in every scenario: {pattern, reason}.
-- What is different in one scenario only stands there, under `differs`.
return {
  { '^http< perigee: ', "our own version stands beside the one that clients decide by" },
  { "^%-%-workers=", "how many workers there are under test" },
}
