# frozen_string_literal: true

# Withholds its confirmation until something that comes later says that it is ready.
class DeferringChannel < ApplicationCable::Channel
  def subscribed
    defer_subscription_confirmation!
    transmit({ deferred: defer_subscription_confirmation? })
    case params[:until]
    when "a thread" then confirm_in_a_thread
    when "a broadcast" then stream_from("deferring_#{params[:room]}") { |payload| hear(payload) }
    end
    journal "subscribed"
  end

  def confirm
    ensure_confirmation_sent
  end

  def ask
    transmit({ sent: subscription_confirmation_sent? ? true : false })
  end

  private
    def confirm_in_a_thread
      Thread.new do
        Gate.pass(params[:gate])
        ensure_confirmation_sent
      end
    end

    def hear(payload)
      transmit({ heard: payload })
      ensure_confirmation_sent unless subscription_confirmation_sent?
    end
end
