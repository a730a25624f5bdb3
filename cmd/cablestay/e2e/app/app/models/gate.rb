# frozen_string_literal: true

# Makes Ruby code wait until a test opens the gate, which it does by making the file.
module Gate
  PATIENCE = 60 # seconds

  class << self
    def pass(name)
      path = File.join(ENV.fetch("E2E_GATES"), name)
      deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + PATIENCE
      until File.exist?(path)
        raise "gate #{name} was never opened" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
        sleep 0.01
      end
    end
  end
end
