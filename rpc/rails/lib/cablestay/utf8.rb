# frozen_string_literal: true

module Cablestay
  # The contract is JSON, so what goes into it is UTF-8: the same bytes, whatever encoding they were marked with.
  module Utf8
    # For what may be shown with a byte or two replaced.
    def self.nearest(string)
      string.dup.force_encoding(Encoding::UTF_8).scrub
    end

    def self.bytes(string, name)
      string = string.dup.force_encoding(Encoding::UTF_8) unless string.encoding == Encoding::UTF_8
      string.valid_encoding? ? string : raise(EncodingError, "#{name} is not UTF-8: #{string.inspect.truncate(200)}")
    end
  end
end
