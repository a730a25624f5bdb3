# frozen_string_literal: true

module Cablestay
  # Runs a block once per key in this process and gives its answer to every further call. Remembers the
  # last +limit+ keys.
  class Once
    Entry = Struct.new(:answer, :done)

    def initialize(limit)
      @limit = limit
      @entries = {}
      @mutex = Mutex.new
      @finished = ConditionVariable.new
    end

    def run(key)
      mine = false
      entry = @mutex.synchronize do
        @entries[key] || remember(key).tap { mine = true }
      end
      return wait(entry) { run(key) { yield } } unless mine

      begin
        finish(entry, yield)
      rescue Exception # what failed before it ran may be tried again
        @mutex.synchronize { @entries.delete(key) }
        finish(entry, nil)
        raise
      end
    end

    private
      def remember(key)
        @entries.shift if @entries.size >= @limit
        @entries[key] = Entry.new(nil, false)
      end

      def finish(entry, answer)
        @mutex.synchronize do
          entry.answer, entry.done = answer, true
          @finished.broadcast
        end
        answer
      end

      # The other try may have failed: then this one is the first again.
      def wait(entry)
        @mutex.synchronize { @finished.wait(@mutex) until entry.done }
        entry.answer || yield
      end
  end
end
