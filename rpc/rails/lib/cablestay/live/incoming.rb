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
        Thread.handle_interrupt(Object => :on_blocking) do
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

          seen = @buffer.bytesize
          @buffer << chunk
          @feed = @buffer.index("\n", seen)
        end

        # Killed while it waits for some, and not while it takes them: a read that blocks can be, when it has them already.
        def chunk
          loop do
            case (read = Thread.handle_interrupt(Object => :never) { @io.read_nonblock(CHUNK, @chunk, exception: false) })
            when :wait_readable then @io.to_io.wait_readable
            when :wait_writable then @io.to_io.wait_writable
            when nil then raise EOFError
            else return read
            end
          end
        end
    end
  end
end
