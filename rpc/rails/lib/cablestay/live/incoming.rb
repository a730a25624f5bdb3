# frozen_string_literal: true

require "io/wait"

module Cablestay
  module Live
    # The lines that come along a link. One thread reads at a time; it may be killed while it waits, and loses nothing then.
    class Incoming
      LIMIT = 64 * 1024 * 1024 # bytes of a line
      CHUNK = 64 * 1024 # bytes that are read at most at once

      # A line has no end.
      class TooLong < Error
        def initialize
          super("a line is longer than #{LIMIT} bytes")
        end
      end

      def initialize(io)
        @io = io
        @buffer, @chunk = "".b, "".b
        @feed = nil # where the first line ends, if it is here whole
      end

      # Is one here, so that next does not wait?
      def any?
        !@feed.nil?
      end

      # The next one, nil at the end.
      def next
        Thread.handle_interrupt(Object => :never) do
          read until @feed
          line = @buffer.slice!(0, @feed + 1)
          @feed = @buffer.index("\n")
          line.force_encoding(Encoding::UTF_8)
        end
      rescue EOFError
        nil
      end

      private
        def read
          raise TooLong if @buffer.bytesize > LIMIT

          Thread.handle_interrupt(Object => :immediate) { @io.wait_readable } # a read that waits may be killed when it has something
          seen = @buffer.bytesize
          case @io.read_nonblock(CHUNK, @chunk, exception: false)
          when nil then raise EOFError
          when :wait_readable then return
          end
          @buffer << @chunk
          @feed = @buffer.index("\n", seen)
        end
    end
  end
end
