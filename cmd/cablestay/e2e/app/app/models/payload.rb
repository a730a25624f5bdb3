# frozen_string_literal: true

# A message that naive proxies spoil: integers beyond a double, null, markup, unicode in depth, key order.
module Payload
  AWKWARD = {
    "zulu" => 9_007_199_254_740_993,
    "alpha" => [ 9_223_372_036_854_775_807, -9_223_372_036_854_775_808, 18_446_744_073_709_551_615 ],
    "none" => nil,
    "html" => "<script>alert(\"1 & 2\")</script>",
    "nested" => { "Ünïcode" => [ "naïve", "😀", { "\u2028\u2029" => "\u0000\u001f\t\\/" } ], "" => {}, "empty" => [] },
    "float" => 1.5,
    "truth" => [ true, false, nil ]
  }.freeze
end
