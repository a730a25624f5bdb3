# frozen_string_literal: true

class RemoteDisconnectsController < ApplicationController
  def create
    options = params[:reconnect] ? { reconnect: params[:reconnect] == "true" } : {}
    ActionCable.server.remote_connections.where(user: params[:user], device: params[:device]).disconnect(**options)
    head :no_content
  end
end
