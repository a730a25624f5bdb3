# frozen_string_literal: true

# Does everything that Action Cable notifies of.
class NoticesChannel < ApplicationCable::Channel
  def subscribed
    reject if params[:reject]
    stream_from "notices_#{params[:room]}" unless params[:reject]
    transmit({ hello: params[:room] })
  end

  def say(data)
    transmit({ said: data["text"] }, via: "an action")
  end

  def tell(data)
    ActionCable.server.broadcast("notices_elsewhere", { told: data["text"] })
  end

  def fail
    raise ArgumentError, "this notice always fails"
  end
end
