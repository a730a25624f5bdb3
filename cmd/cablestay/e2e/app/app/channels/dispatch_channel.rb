# frozen_string_literal: true

# Has methods of every kind that a client may or may not invoke.
class DispatchChannel < ApplicationCable::Channel
  include Greetings

  def subscribed
    journal "subscribed"
    transmit({ subscribed: params[:name] }) if params[:name]
    raise ApplicationCable::Commands::Rescued, "subscribed" if params[:fails] == "subscribed"
  end

  def unsubscribed
    raise ApplicationCable::Commands::Rescued, "unsubscribed" if params[:fails] == "unsubscribed"
    journal "unsubscribed"
  end

  def one(data)
    transmit({ arguments: [ data ], class: data.class.name, indifferent: data.key?(:action) })
  end

  def none
    transmit({ arguments: [] })
  end

  def optional(data = "default")
    transmit({ arguments: [ data ] })
  end

  def splat(*data)
    transmit({ arguments: data })
  end

  def two(one, two)
    transmit({ arguments: [ one, two ] })
  end

  # A method of Base that the app makes its own.
  def stream_or_reject_for(data)
    transmit({ shadowed: data["text"] })
  end

  def log(data)
    logger.info data["text"]
  end

  def close(data)
    case data["with"]
    when "nothing" then connection.close
    when "reason" then connection.close(reason: "full < up")
    when "reconnect" then connection.close(reconnect: false)
    end
  end

  def raise_for_the_connection(data)
    raise ApplicationCable::Commands::Rescued, data["text"]
  end

  protected
    def guarded
      transmit({ guarded: true })
    end

  private
    def secret
      transmit({ secret: true })
    end
end
