# frozen_string_literal: true

# Transmits wherever a channel can, so that the order can be read off the wire.
class StepsChannel < ApplicationCable::Channel
  before_subscribe { transmit({ step: "before" }) }
  after_subscribe { transmit({ step: "after" }) }
  on_unsubscribe { transmit({ step: "after unsubscribed" }) }

  def subscribed
    transmit({ step: "subscribed" })
    stream_from "steps_#{params[:run]}" if params[:run]
    transmit({ step: "streaming" })
    reject if params[:reject]
  end

  def unsubscribed
    transmit({ step: "unsubscribed" })
    journal "unsubscribed"
  end
end
