# frozen_string_literal: true

module Cablestay
  class Error < StandardError; end

  # A setting that stops the start: its message names the setting.
  class ConfigurationError < Error; end

  # A request whose shape is wrong: its message names the member.
  class BadRequest < Error; end

  # A request without a valid proof: its message says what was wrong with it, never what it held.
  class Unproven < Error; end

  # A request that speaks another version of the contract.
  class OtherContract < Error
    def initialize(version)
      super("this gem speaks version #{CONTRACT} of the contract, the request version #{version}: " \
            "use a gem and a bridge of the same release")
    end
  end

  # A state that can't be read: another connection's, tampered with, or of a class that is gone.
  class UnreadableState < Error; end
end
