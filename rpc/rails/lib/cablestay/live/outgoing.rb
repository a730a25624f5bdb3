# frozen_string_literal: true

require "concurrent/atomic/atomic_fixnum"

module Cablestay
  module Live
    # What goes out along a link: lines, in the order in which they are put. Who puts one writes it, where nothing is in front of it; what the
    # kernel does not take then is left to a thread. A line that may wait goes with the next one, or with flush, whichever comes first: a write
    # costs as much as a short event does.
    class Outgoing
      BACKLOG = 64 * 1024 * 1024 # bytes; a bridge that is so far behind reads no more

      # The block is told why it can't go on, and ends it.
      def initialize(&broken)
        @broken = broken
        @order = Mutex.new
        @held = +"" # lines that may wait; under this mutex
        @left = Queue.new # to the thread
        @waiting = Concurrent::AtomicFixnum.new # bytes of it
        @writing = Mutex.new
        @rest = +"" # of a line of which the kernel has taken a part; under this mutex
      end

      # Until then lines wait.
      def start(io)
        @io, @pid = io, ::Process.pid
        Thread.new { write }.name = "cablestay link writer"
      end

      # False where it has ended.
      def put(line, may_wait: false)
        return false if ended?
        return broken("the bridge does not read") if @waiting.value >= BACKLOG

        in_order do
          @held << line
          write_held unless may_wait
        end
        true
      rescue ClosedQueueError
        false
      rescue IOError, SystemCallError => error
        broken(error)
      end

      def flush
        in_order { write_held unless @held.empty? } unless @held.empty? || ended?
      rescue ClosedQueueError
        nil
      rescue IOError, SystemCallError => error
        broken(error)
      end

      # Has everything been sent?
      def written?
        (@waiting.value.zero? && @held.empty?) || ended?
      end

      def end
        @left.close
      end

      # So it has for a fork, whose parent goes on with it.
      def ended?
        @left.closed? || (!@pid.nil? && @pid != ::Process.pid)
      end

      private
        # Nobody is killed between a part and its rest.
        def in_order(&block)
          Thread.handle_interrupt(Object => :never) { @order.synchronize(&block) }
        end

        # At once where nothing is in front of it.
        def write_held
          text, @held = @held, +""
          return leave(text) unless @io && @writing.try_lock

          begin
            return leave(text) unless @waiting.value.zero?

            written = @io.write_nonblock(text, exception: false)
            @rest = text.byteslice((written.is_a?(Integer) ? written : 0)..)
            leave("", @rest.bytesize) unless @rest.empty?
          ensure
            @writing.unlock
          end
        end

        def leave(text, size = text.bytesize)
          @waiting.increment(size)
          @left << text
        end

        # Several lines in one go where several wait.
        def write
          while (lines = @left.pop)
            lines = +lines
            lines << @left.pop until @left.empty? || lines.bytesize > 1 << 20
            @writing.synchronize do
              lines = @rest + lines
              @io.write(lines)
              @rest = +""
            end
            @waiting.decrement(lines.bytesize)
          end
        rescue IOError, SystemCallError => error
          broken(error)
        end

        def broken(why)
          @broken.call(why)
          false
        end
    end
  end
end
