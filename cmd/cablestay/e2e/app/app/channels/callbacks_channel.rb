# frozen_string_literal: true

# Notes down every callback, and stops or rejects where it is told to.
class CallbacksChannel < ApplicationCable::Channel
  before_subscribe { note "first before_subscribe" }
  before_subscribe { throw :abort if params[:abort] == "subscribe" }
  before_subscribe { reject if params[:reject] == "before_subscribe" }
  before_subscribe :second_before_subscribe
  after_subscribe { note "first after_subscribe" }
  on_subscribe { note "on_subscribe" }
  after_subscribe { reject if params[:reject] == "after_subscribe" }
  after_subscribe -> { note "accepted" }, unless: :subscription_rejected?

  before_unsubscribe { note "first before_unsubscribe" }
  before_unsubscribe { throw :abort if params[:abort] == "unsubscribe" }
  before_unsubscribe { note "second before_unsubscribe" }
  after_unsubscribe { note "first after_unsubscribe" }
  on_unsubscribe { note "on_unsubscribe" }

  def subscribed
    note "subscribed"
    reject if params[:reject] == "subscribed"
    connection.close(reason: "full", reconnect: false) if params[:close]
  end

  def unsubscribed
    note "unsubscribed"
    journal "unsubscribed"
  end

  def say(data)
    transmit({ said: data["text"] })
  end

  private
    def note(callback)
      transmit({ ran: callback })
    end

    def second_before_subscribe
      note "second before_subscribe"
    end
end
