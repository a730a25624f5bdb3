# frozen_string_literal: true

module Cablestay
  VERSION = "0.1.0"

  # The version of the contract (rpc/README.md) that this gem speaks.
  CONTRACT = 1
end
