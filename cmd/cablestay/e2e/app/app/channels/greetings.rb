# frozen_string_literal: true

# A module whose public methods are actions of the channel that includes it.
module Greetings
  def greet(data)
    transmit({ hello: data["name"] })
  end
end
