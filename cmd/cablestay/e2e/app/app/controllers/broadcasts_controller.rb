# frozen_string_literal: true

class BroadcastsController < ApplicationController
  def create
    message = params[:awkward] ? Payload::AWKWARD : { text: params.require(:text) }
    if params[:later]
      BroadcastJob.perform_later(params.require(:broadcasting), message.to_json)
    else
      ActionCable.server.broadcast(params.require(:broadcasting), message)
    end
    head :no_content
  end
end
