# frozen_string_literal: true

Rails.application.routes.draw do
  resource :login, only: :create
  resources :broadcasts, only: :create
  resources :remote_disconnects, only: :create
  resources :restarts, only: :create
  resource :public_api, only: :show
  resource :version, only: :show
  resource :registry_messages, only: :create
  resource :live_queries, only: :create
  resource :signed_streams, only: %i[create show]
  resource :counts, only: :show
  resource :errors, only: :create

  mount ActionCable.server => "/tenants/:tenant/cable"
  mount ActionCable.server => "/second/cable"
end
