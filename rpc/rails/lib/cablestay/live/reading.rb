# frozen_string_literal: true

module Cablestay
  module Live
    # Reads a link, and has the thread that has read an event run it: for one that takes no time, another thread would cost more
    # than the event does. A reader that is busy for longer than a glance is relieved: another one reads on. While events do
    # take longer, it is relieved at once.
    class Reading
      GLANCE = 0.001 # seconds
      HEAVY = 0.005 # seconds of a processor, or in which nobody could watch, for an event that another one can't be expected to wait for
      CALM = 1 # seconds without such an event

      # The block reads and handles what comes next; false at the end. settle is called where a reader stops, and now and then while events
      # run: what was left to be done with the next one is to be done now.
      def initialize(settle: -> { }, &step)
        @step, @settle = step, settle
        @turn = 0          # whoever has it reads
        @turns = Queue.new # for readers that wait for theirs
        @event = nil       # what the reader is busy with
        @events = 0
        @slow = @lost = false
        @reader = nil      # the thread that has the turn
        @watched = 0       # how often somebody has looked
        @heavy_at = -CALM  # when the last heavy event ended
        @mutex = Mutex.new
        @begun = ConditionVariable.new
      end

      def start
        thread("relief") { watch }
        relieve
      end

      # Around an event, called in the block by the reader.
      def busy
        event, since, spent, watched, killed = begin_event, now, cpu, @watched, true
        yield
        killed = false
      rescue Exception
        killed = false # this thread goes on
        raise
      ensure
        @mutex.synchronize do
          time = now
          @slow = time - since > GLANCE
          @heavy_at = time if @slow && (cpu - spent > HEAVY || (time - since > HEAVY && @watched == watched))
          if @event == event
            @event = nil
            lost if killed # by the app
          end
        end
      end

      # Is it this thread that reads on, and soon? Nobody can settle what is left to be done while an event keeps Ruby's lock, so where one
      # has lately, nothing is to be left.
      def goes_on?
        @reader.equal?(Thread.current) && now - @heavy_at > CALM
      end

      # No more is read.
      def end
        @turns.close
        @mutex.synchronize { @begun.signal }
      end

      private
        def begin_event
          @mutex.synchronize do
            @begun.signal if @resting
            event = @event = @events += 1
            relieve if @slow
            event
          end
        end

        # Another thread has the turn from now on.
        def relieve
          return if @turns.closed?

          reader if @turns.num_waiting.zero?
          @reader = nil
          @turns << @turn += 1
          @event, @lost = nil, false
        rescue ClosedQueueError, ThreadError # so it ends, or there can be no more threads now
          nil
        end

        # Nobody has the turn. Who watches gives it to another: not this thread, which may be ended because the process is.
        def lost
          @turn += 1 # from whoever may still believe to have it
          @event, @lost = nil, true
          @begun.signal
        end

        def reader
          thread("reader") do
            turn = nil
            # Killed while it waits, or when it knows of the turn that it has; not between the two, or nobody would.
            while Thread.handle_interrupt(Object => :on_blocking) { turn = @turns.pop }
              @reader = Thread.current
              nil while turn == @turn && @step.call
              @settle.call
            end
          ensure # also where the app has kept the thread, and kills it when its event is long over
            @mutex.synchronize { lost if turn == @turn || !@turns.empty? } # it may have been the one that was to take it
            @settle.call
          end
        end

        # Twice the same event at a distance of a glance is a long one. Between the last one and the rest, what it has left is settled.
        def watch
          seen, calm = 0, false
          until @turns.closed?
            sleep GLANCE
            @mutex.synchronize do
              relieve if @lost || (@event && @event == seen)
              calm_before, calm = calm, @event.nil? && !@lost && @events == seen
              if calm && calm_before
                rest
                calm = false
              end
              seen = @events
              @watched += 1
            end
            @settle.call
          end
        end

        def rest
          @resting = true
          @begun.wait(@mutex) unless @turns.closed?
        ensure
          @resting = false
        end

        def thread(name, &work)
          Thread.new(&work).name = "cablestay link #{name}"
        end

        def now
          ::Process.clock_gettime(::Process::CLOCK_MONOTONIC)
        end

        def cpu
          ::Process.clock_gettime(::Process::CLOCK_THREAD_CPUTIME_ID)
        end
    end
  end
end
