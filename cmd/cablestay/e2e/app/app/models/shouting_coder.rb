# frozen_string_literal: true

# A coder of the app's own, which can be told from every other by what it makes of a payload.
module ShoutingCoder
  class << self
    def encode(message)
      ActiveSupport::JSON.encode(message)
    end

    def decode(payload)
      { "shout" => payload.upcase }
    end
  end
end
